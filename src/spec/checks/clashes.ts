import { formatAddress, isUsable, parseAddress, parseRange } from "../address.ts";
import type { Draft } from "../draft.ts";
import { formatPath, type Path } from "../fault.ts";
import { type Group, type Outline, outline } from "../outline.ts";

/**
 * No address is given twice. A clash is a fault of the one that is easier to move: workers before control
 * planes, the gateway before nodes, the VIP before all of these, the pool before everything.
 */
export function checkClashes(draft: Draft): void {
  checkGroup(draft, outline(draft).controlPlanes, []);
  checkGroup(draft, outline(draft).workers, [outline(draft).controlPlanes]);
  checkOne(draft, ["network", "gateway"]);
  checkOne(draft, ["network", "vip"]);
  checkPool(draft);
  checkDhcp(draft);
}

function checkGroup(draft: Draft, group: Group, others: readonly Group[]): void {
  const faulty = new Set<string>();
  for (const [index, address] of (group.addresses ?? []).entries()) {
    const path = group.placeOf(index);
    const name = formatPath(path);
    const earlier = group.addresses?.indexOf(address) ?? index;
    const other = others.find(({ addresses }) => addresses?.includes(address));
    if (faulty.has(name) || (earlier === index && other === undefined)) continue;
    faulty.add(name);
    const holder =
      other === undefined ? nodeOf(group, earlier) : nodeOf(other, other.addresses?.indexOf(address) ?? 0);
    const verb = index > 0 && name === formatPath(group.placeOf(0)) ? "reaches" : "is";
    const message = `${name} ${verb} ${formatAddress(address)}, the address of ${holder}`;
    const hint = free(outline(draft));
    draft.fault(path, { message, ...(hint !== undefined && { hint }) });
  }
}

function checkOne(draft: Draft, path: Path): void {
  const castle = outline(draft);
  const isVip = path.at(-1) === "vip";
  const address = isVip ? castle.vip : castle.gateway;
  if (address === undefined) return;
  const holder = isVip && address === castle.gateway ? "the gateway" : holderOf(castle, address);
  if (holder === undefined) return;
  const hint = free(castle);
  const message = `${formatPath(path)} is ${formatAddress(address)}, the address of ${holder}`;
  draft.fault(path, { message, ...(hint !== undefined && { hint }) });
}

function checkPool(draft: Draft): void {
  const path: Path = ["loadBalancer", "pool"];
  const castle = outline(draft);
  const { pool } = castle;
  if (pool === undefined) return;
  const text = `${formatAddress(pool.first)}-${formatAddress(pool.last)}`;
  if (pool.first > pool.last) {
    const hint = `did you mean ${formatAddress(pool.last)}-${formatAddress(pool.first)}?`;
    draft.fault(path, { message: `loadBalancer.pool is ${text}, which ends before it begins`, hint });
    return;
  }
  const within = (address: number | undefined) =>
    address !== undefined && address >= pool.first && address <= pool.last;
  const met = [
    ...(within(castle.gateway) ? ["the gateway"] : []),
    ...(within(castle.vip) ? ["the VIP"] : []),
    ...(draft.texts(["network", "dns"]) ?? []).flatMap((text) =>
      within(parseAddress(text)) && parseAddress(text) !== castle.gateway ? [`the name server ${text}`] : [],
    ),
    ...[castle.controlPlanes, castle.workers].flatMap((group) =>
      (group.addresses ?? []).flatMap((address, index) => (within(address) ? [nodeOf(group, index)] : [])),
    ),
  ];
  if (met.length === 0) return;
  const message = `loadBalancer.pool is ${text}, which holds the address of ${met.join(", ")}`;
  draft.fault(path, { message, hint: "take a range that nothing else uses" });
}

/** The router may give an address of its range to anybody, one that a castle uses among them. */
function checkDhcp(draft: Draft): void {
  const path: Path = ["network", "dhcp"];
  const text = draft.text(path);
  const range = text === undefined ? undefined : parseRange(text);
  if (range === undefined) return;
  if (range.first > range.last) {
    const hint = `did you mean ${formatAddress(range.last)}-${formatAddress(range.first)}?`;
    draft.fault(path, { message: `network.dhcp is ${text}, which ends before it begins`, hint });
    return;
  }
  const { vip, pool, controlPlanes, workers } = outline(draft);
  const within = (address: number | undefined) =>
    address !== undefined && address >= range.first && address <= range.last;
  const met = [
    ...(within(vip) ? ["the VIP"] : []),
    ...[controlPlanes, workers].flatMap((group) =>
      (group.addresses ?? []).flatMap((address, index) => (within(address) ? [nodeOf(group, index)] : [])),
    ),
    ...(pool !== undefined && pool.first <= range.last && range.first <= pool.last
      ? ["loadBalancer.pool"]
      : []),
  ];
  if (met.length === 0) return;
  const message = `network.dhcp is ${text}, which the router may give to others, and which holds ${met.join(", ")}`;
  draft.fault(path, {
    message,
    hint: "make the range smaller in the router and here, or move what it holds",
  });
}

function holderOf(castle: Outline, address: number): string | undefined {
  for (const group of [castle.controlPlanes, castle.workers]) {
    const index = group.addresses?.indexOf(address) ?? -1;
    if (index >= 0) return nodeOf(group, index);
  }
  return undefined;
}

function nodeOf(group: Group, index: number): string {
  return `${group.role === "controlplane" ? "control plane" : "worker"} ${index + 1}`;
}

/** The next address of the network above everything that is known to be taken. */
function free({ cidr, gateway, vip, pool, controlPlanes, workers }: Outline): string | undefined {
  if (cidr === undefined) return undefined;
  const nodes = [...(controlPlanes.addresses ?? []), ...(workers.addresses ?? [])];
  const isTaken = (address: number) =>
    address === gateway ||
    address === vip ||
    nodes.includes(address) ||
    (pool !== undefined && address >= pool.first && address <= pool.last);
  for (let address = Math.max(cidr.base + 1, ...nodes); isUsable(cidr, address); address++) {
    if (!isTaken(address)) return `this castle uses nothing from ${formatAddress(address)} on`;
  }
  return undefined;
}
