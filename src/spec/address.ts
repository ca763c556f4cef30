/** IPv4 addresses are unsigned 32-bit numbers here: ranges and networks become plain comparisons. */
export interface Cidr {
  /** The address as written, host bits included. */
  readonly address: number;
  /** The network address: host bits cleared. */
  readonly base: number;
  readonly prefix: number;
  /** The broadcast address. */
  readonly last: number;
}

export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = `${OCTET}(?:\\.${OCTET}){3}`;

export const addressPattern = new RegExp(`^${IPV4}$`);
export const cidrPattern = new RegExp(`^${IPV4}/(?:[0-9]|[12][0-9]|3[0-2])$`);
export const rangePattern = new RegExp(`^${IPV4} ?- ?${IPV4}$`);

/** Undefined when the text is not a dotted IPv4 address. */
export function parseAddress(text: string): number | undefined {
  if (!addressPattern.test(text)) return undefined;
  return text.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** Undefined when the text is not an address with a prefix length. */
export function parseCidr(text: string): Cidr | undefined {
  if (!cidrPattern.test(text)) return undefined;
  const [written = "", length = ""] = text.split("/");
  const address = parseAddress(written);
  if (address === undefined) return undefined;
  const prefix = Number(length);
  const size = 2 ** (32 - prefix);
  const base = address - (address % size);
  return { address, base, prefix, last: base + size - 1 };
}

/** Undefined when the text is not FIRST-LAST. The order of the two is not judged here. */
export function parseRange(text: string): AddressRange | undefined {
  if (!rangePattern.test(text)) return undefined;
  const [first, last] = text.split("-").map((part) => parseAddress(part.trim()));
  return first === undefined || last === undefined ? undefined : { first, last };
}

/** Whether a machine may carry this address: inside the network, neither its own address nor the broadcast. */
export function isUsable(network: Cidr, address: number): boolean {
  return address > network.base && address < network.last;
}

export function overlaps(one: Cidr, other: Cidr): boolean {
  return one.base <= other.last && other.base <= one.last;
}
