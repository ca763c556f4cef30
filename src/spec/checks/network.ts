import { type Cidr, formatAddress, isUsable, overlaps, parseCidr } from "../address.ts";
import type { Draft } from "../draft.ts";
import { formatPath, type Path } from "../fault.ts";
import { type Group, type Outline, outline } from "../outline.ts";
import { checkDuplicates } from "./duplicates.ts";

const CIDR: Path = ["network", "cidr"];
const WIDEST = 8;
const NARROWEST = 29;

/** No machine has a home address in these. */
const unusable: Readonly<Record<string, string>> = {
  "0.0.0.0/8": "has no hosts",
  "127.0.0.0/8": "is every machine's own loopback",
  "169.254.0.0/16": "is for link-local addresses",
  "224.0.0.0/3": "is for multicast",
};

/** What Kubernetes gives to its pods and services unless a patch says otherwise. */
const inside = {
  pods: { patch: "podSubnets", usual: "10.244.0.0/16" },
  services: { patch: "serviceSubnets", usual: "10.96.0.0/12" },
} as const;

/** The network is one that nodes can live in, and everything with an address lies in it. */
export function checkNetwork(draft: Draft): void {
  checkCidr(draft);
  checkOutside(draft);
  checkDuplicates(draft, ["network", "dns"]);
  checkDuplicates(draft, ["network", "ntp"]);
}

function checkCidr(draft: Draft): void {
  const text = draft.text(CIDR);
  const cidr = text === undefined ? undefined : parseCidr(text);
  if (cidr === undefined) return;
  const right = `${formatAddress(cidr.base)}/${cidr.prefix}`;
  const bad = Object.keys(unusable).find((other) => meets(cidr, other));
  if (bad !== undefined) {
    const message = `network.cidr is ${text}, but ${bad} ${unusable[bad]}`;
    draft.fault(CIDR, { message, hint: "take a private network such as 192.168.1.0/24" });
  } else if (cidr.prefix < WIDEST || cidr.prefix > NARROWEST) {
    const message = `network.cidr is ${text}, expected a prefix length from ${WIDEST} to ${NARROWEST}`;
    draft.fault(CIDR, { message, hint: "most networks at home are a /24" });
  } else if (cidr.address !== cidr.base) {
    const message = `network.cidr is ${text}, which is an address inside of a network`;
    draft.fault(CIDR, { message, hint: `did you mean ${right}?` });
  } else {
    checkInside(draft, cidr);
  }
}

function checkInside(draft: Draft, cidr: Cidr): void {
  for (const [what, { patch, usual }] of Object.entries(inside)) {
    const other = patchedSubnets(draft, patch) ?? [usual];
    const met = other.find((network) => meets(cidr, network));
    if (met === undefined) continue;
    const message = `network.cidr is ${draft.text(CIDR)}, which overlaps ${met}, the network of the ${what}`;
    const hint = `take another network, or move the ${what} with a patch of cluster.network.${patch}`;
    draft.fault(CIDR, { message, hint });
    return;
  }
}

function patchedSubnets(draft: Draft, key: string): readonly string[] | undefined {
  const count = draft.count(["talos", "patches"]);
  const found = Array.from({ length: count }, (_, index) =>
    draft.texts(["talos", "patches", index, "cluster", "network", key]),
  );
  return found.findLast((subnets) => subnets !== undefined);
}

function meets(cidr: Cidr, text: string): boolean {
  const other = parseCidr(text);
  return other !== undefined && overlaps(cidr, other);
}

interface Outsider {
  readonly path: Path;
  readonly name: string;
  readonly message: string;
}

/**
 * Where most addresses lie outside of the network, the network is what is wrong: one fault. Otherwise each
 * outsider is one.
 */
function checkOutside(draft: Draft): void {
  const castle = outline(draft);
  const { cidr } = castle;
  if (cidr === undefined) return;
  const network = `${formatAddress(cidr.base)}/${cidr.prefix}`;
  const named = [
    ...single("network.gateway", ["network", "gateway"], castle.gateway),
    ...single("network.vip", ["network", "vip"], castle.vip),
    ...group(castle.controlPlanes),
    ...group(castle.workers),
    ...pool(castle),
  ];
  const outside = named.filter(({ addresses }) => addresses.some((address) => !isUsable(cidr, address)));
  if (outside.length * 2 > named.length && outside.length > 1) {
    const names = outside.map(({ name }) => name).join(", ");
    const message = `network.cidr is ${network}, which does not hold ${names}`;
    draft.fault(CIDR, { message, hint: `usable are ${usable(cidr)}` });
    return;
  }
  for (const outsider of outside.flatMap((one) => describe(one, cidr))) {
    const message = `${outsider.message}, expected an address that ${network} can give to a machine`;
    draft.fault(outsider.path, { message, hint: `usable are ${usable(cidr)}` });
  }
}

function usable(cidr: Cidr): string {
  return `${formatAddress(cidr.base + 1)} to ${formatAddress(cidr.last - 1)}`;
}

interface Named {
  readonly name: string;
  readonly addresses: readonly number[];
  readonly placeOf: (index: number) => Path;
}

function single(name: string, path: Path, address: number | undefined): Named[] {
  return address === undefined ? [] : [{ name, addresses: [address], placeOf: () => path }];
}

function group({ section, addresses, placeOf }: Group): Named[] {
  if (addresses === undefined || addresses.length === 0) return [];
  return [{ name: formatPath(section), addresses, placeOf }];
}

function pool({ pool }: Outline): Named[] {
  if (pool === undefined) return [];
  const name = "loadBalancer.pool";
  return [{ name, addresses: [pool.first, pool.last], placeOf: () => ["loadBalancer", "pool"] }];
}

/** One fault a place: an address each where they are listed, the first that falls out of a count. */
function describe({ addresses, placeOf }: Named, cidr: Cidr): Outsider[] {
  const found = new Map<string, Outsider>();
  for (const [index, address] of addresses.entries()) {
    if (isUsable(cidr, address)) continue;
    const path = placeOf(index);
    const name = formatPath(path);
    const verb = index > 0 && name === formatPath(placeOf(0)) ? "reaches" : "is";
    if (!found.has(name))
      found.set(name, { path, name, message: `${name} ${verb} ${formatAddress(address)}` });
  }
  return [...found.values()];
}
