import { type Cidr, formatAddress, isUsable, parseAddress, parseCidr, parseRange } from "../address.ts";
import type { Castle, Role } from "../castle.ts";

/** Where a castle stands in its network. */
export interface Layout {
  readonly vip: string;
  readonly controlPlanes: readonly string[];
  readonly workers: readonly string[];
  /** FIRST-LAST */
  readonly pool: string | undefined;
}

export function layoutOf({ network, nodes, loadBalancer }: Castle): Layout {
  const addresses = (role: Role) => nodes.filter((node) => node.role === role).map(({ address }) => address);
  return {
    vip: network.vip,
    controlPlanes: addresses("controlplane"),
    workers: addresses("worker"),
    pool: loadBalancer?.pool,
  };
}

export interface Counts {
  /** Undefined: as many as there are. */
  readonly controlPlanes?: number | undefined;
  readonly workers?: number | undefined;
}

/**
 * The layout with so many nodes: what stands keeps its address, the last ones go first, and new ones take the next
 * addresses that nobody has.
 * @param avoid addresses that are not free for another reason, such as quarantine or a strange machine
 */
export function scaledLayout(castle: Castle, counts: Counts, avoid: readonly string[]): Layout | undefined {
  const layout = layoutOf(castle);
  const taken = new Set([...takenBy(castle), ...avoid]);
  const pool = layout.pool === undefined ? undefined : parseRange(layout.pool);
  const network = parseCidr(castle.network.cidr);
  if (network === undefined) return undefined;
  const isFree = (address: number) =>
    !taken.has(formatAddress(address)) &&
    !(pool !== undefined && address >= pool.first && address <= pool.last);
  const scaled = (group: readonly string[], count = group.length): readonly string[] => {
    const kept = group.slice(0, count);
    while (kept.length < count) {
      const next = nextFree(
        network,
        numberOf(kept.at(-1) ?? layout.controlPlanes.at(-1) ?? castle.network.vip),
        isFree,
      );
      if (next === undefined) return kept;
      taken.add(next);
      kept.push(next);
    }
    return kept;
  };
  return {
    ...layout,
    controlPlanes: scaled(layout.controlPlanes, counts.controlPlanes),
    workers: scaled(layout.workers, counts.workers),
  };
}

/**
 * The whole castle moved so that its first control plane has that address: VIP, nodes and pool by the same offset.
 * @param pool stands instead of the moved one
 */
export function shiftedLayout(castle: Castle, to: string, pool?: string): Layout {
  const layout = layoutOf(castle);
  const offset = numberOf(to) - numberOf(layout.controlPlanes[0] ?? to);
  const move = (address: string) => formatAddress(numberOf(address) + offset);
  const moved = layout.pool === undefined ? undefined : layout.pool.split("-").map((end) => move(end.trim()));
  return {
    vip: move(layout.vip),
    controlPlanes: layout.controlPlanes.map(move),
    workers: layout.workers.map(move),
    pool: layout.pool === undefined ? undefined : (pool ?? moved?.join("-")),
  };
}

function takenBy({ network, nodes }: Castle): readonly string[] {
  return [
    network.vip,
    network.gateway,
    ...network.dns,
    ...network.ntp,
    ...nodes.map(({ address }) => address),
  ];
}

/** The first free one behind an address; at the network's end the search goes on from its beginning. */
function nextFree(network: Cidr, after: number, isFree: (address: number) => boolean): string | undefined {
  for (let step = 1; step <= network.last - network.base; step++) {
    const address = network.base + ((after - network.base + step) % (network.last - network.base + 1));
    if (isUsable(network, address) && isFree(address)) return formatAddress(address);
  }
  return undefined;
}

function numberOf(address: string): number {
  return parseAddress(address) ?? 0;
}
