import { isIPv4, isIPv6 } from "node:net";
import { formatProperties, parseProperties } from "./property-string.ts";

/** A netN value, taken apart. */
export interface CardSettings {
  readonly model: string;
  /** Upper case, BC:24:11:00:00:01. */
  readonly mac: string;
  readonly bridge: string;
  readonly linkDown: boolean;
  /** firewall, mtu, queues, rate, tag, trunks: echoed, and nothing else in the lab. */
  readonly rest: ReadonlyMap<string, string>;
}

const MODELS = ["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"];
const REST: ReadonlySet<string> = new Set(["firewall", "mtu", "queues", "rate", "tag", "trunks"]);
const MAC = /^([0-9A-F]{2}:){5}[0-9A-F]{2}$/;

/**
 * Reads both forms: `model=virtio,macaddr=BC:…` that clients send, `virtio=BC:…` that Proxmox keeps.
 * @throws RangeError with what is wrong; `freeMac` names a card that came without an address.
 */
export function parseCard(text: string, freeMac: () => string): CardSettings {
  const properties = new Map(parseProperties(text, "model"));
  const inline = MODELS.find((model) => properties.has(model));
  const model = inline ?? properties.get("model");
  if (model === undefined || !MODELS.includes(model))
    throw new RangeError("the card's model is missing or unknown");
  const mac = (properties.get("macaddr") ?? properties.get(inline ?? "") ?? freeMac()).toUpperCase();
  if (!MAC.test(mac) || (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) {
    throw new RangeError(`'${mac}' is not a unicast MAC address`);
  }
  const bridge = properties.get("bridge");
  if (bridge === undefined || bridge === "") throw new RangeError("the card's bridge is missing");
  const linkDown = properties.get("link_down") === "1";
  for (const key of [model, "model", "macaddr", "bridge", "link_down"]) properties.delete(key);
  const unknown = [...properties.keys()].find((key) => !REST.has(key));
  if (unknown !== undefined) throw new RangeError(`unknown property '${unknown}'`);
  return { model, mac, bridge, linkDown, rest: properties };
}

/** The form in which the configuration shows a card. */
export function formatCard(card: CardSettings): string {
  return formatProperties(
    new Map([
      [card.model, card.mac],
      ["bridge", card.bridge],
      ...[...card.rest].sort(([a], [b]) => a.localeCompare(b)),
      ...(card.linkDown ? ([["link_down", "1"]] as const) : []),
    ]),
  );
}

/** An ipconfigN value: what the machine's card gets. Empty where DHCP is asked for. */
export interface CardAddress {
  /** address/prefix */
  readonly address?: string;
  readonly gateway?: string;
}

/** @throws RangeError with what is wrong. IPv6 is accepted as a value and not used: the lab's LAN is IPv4. */
export function parseCardAddress(text: string): CardAddress {
  const properties = parseProperties(text);
  const unknown = [...properties.keys()].find((key) => !["ip", "gw", "ip6", "gw6"].includes(key));
  if (unknown !== undefined) throw new RangeError(`unknown property '${unknown}'`);
  const ip = properties.get("ip");
  const gateway = properties.get("gw");
  if (gateway !== undefined && !isIPv4(gateway)) throw new RangeError(`'${gateway}' is not an IPv4 address`);
  const gateway6 = properties.get("gw6");
  if (gateway6 !== undefined && !isIPv6(gateway6))
    throw new RangeError(`'${gateway6}' is not an IPv6 address`);
  if (ip === undefined || ip === "dhcp") {
    if (gateway !== undefined) throw new RangeError("a gateway needs a static address");
    return {};
  }
  const [address = "", prefix = ""] = ip.split("/");
  if (!isIPv4(address) || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) {
    throw new RangeError(`'${ip}' is not address/prefix`);
  }
  return { address: ip, ...(gateway === undefined ? {} : { gateway }) };
}
