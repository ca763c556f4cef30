import type { Castle, CastleNode, Role } from "../../spec/castle.ts";

/** What a node has and nobody else may have meanwhile. */
export interface Lease {
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly mac: string;
  readonly vmid: number;
}

/** What a removed node had: not to be given away while somebody may take another machine for it. */
export interface Quarantined extends Lease {
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** An operation that was begun, so that whoever comes after a kill knows what is half done. */
export type Unfinished =
  | { readonly verb: "replace"; readonly node: string; readonly removed: boolean }
  | {
      readonly verb: "scale";
      readonly controlPlanes: number;
      readonly workers: number;
      readonly leaving: readonly string[];
    }
  /** A node that is wiped because its etcd's data is of no use. */
  | { readonly verb: "ghosts"; readonly node: string }
  /** Every node is wiped, and etcd is to come from this backup: whoever raised it empty would lose the castle. */
  | { readonly verb: "restore"; readonly backup: string };

/** One edit of castle.yaml that castle made. */
export interface SpecChange {
  readonly before: string;
  readonly after: string;
}

/** Who has which name, address, MAC and VM id, and who had them. */
export interface Ledger {
  readonly leases: readonly Lease[];
  readonly quarantine: readonly Quarantined[];
  readonly unfinished?: Unfinished | undefined;
  /** The newest last: a way back leads to the very bytes that a person wrote. */
  readonly edits?: readonly SpecChange[] | undefined;
}

export const EMPTY_LEDGER: Ledger = { leases: [], quarantine: [] };

export function leaseOf({ name, role, address, mac, vmid }: CastleNode): Lease {
  return { name, role, address, mac, vmid };
}

/** The ledger once the castle's nodes stand: what a node has now is not in quarantine any more. */
export function settled({ quarantine, ...ledger }: Ledger, { nodes }: Castle): Ledger {
  const leases = nodes.map(leaseOf);
  const held = new Set(leases.map(({ address }) => address));
  return { ...ledger, leases, quarantine: quarantine.filter(({ address }) => !held.has(address)) };
}

/** The ledger once these nodes are gone; only a control plane's address can make a ghost of etcd. */
export function evicted(ledger: Ledger, gone: readonly CastleNode[], since: string): Ledger {
  const names = new Set(gone.map(({ name }) => name));
  const added = gone
    .filter(({ role }) => role === "controlplane")
    .map((node) => ({ ...leaseOf(node), since }));
  const addresses = new Set(added.map(({ address }) => address));
  return {
    ...ledger,
    leases: ledger.leases.filter(({ name }) => !names.has(name)),
    quarantine: [...ledger.quarantine.filter(({ address }) => !addresses.has(address)), ...added],
  };
}

/** The ledger of a castle that has no etcd any more: nobody is left who could remember. */
export function cleared(ledger: Ledger): Ledger {
  return { ...ledger, quarantine: [] };
}

export function begun(ledger: Ledger, unfinished: Unfinished | undefined): Ledger {
  const { unfinished: _before, ...rest } = ledger;
  return unfinished === undefined ? rest : { ...rest, unfinished };
}

/** What of the quarantine these nodes would take. */
export function contested({ quarantine }: Ledger, nodes: readonly CastleNode[]): readonly Quarantined[] {
  return quarantine.filter(({ address }) => nodes.some((node) => node.address === address));
}

export function released(ledger: Ledger, forgotten: readonly Quarantined[]): Ledger {
  const addresses = new Set(forgotten.map(({ address }) => address));
  return { ...ledger, quarantine: ledger.quarantine.filter(({ address }) => !addresses.has(address)) };
}

/** Edits further back than these are forgotten. */
const EDITS = 8;

/** The ledger once castle.yaml was edited, or is about to be; the same edit, made again after a kill, is noted once. */
export function edited(ledger: Ledger, change: SpecChange): Ledger {
  const others = (ledger.edits ?? []).filter(
    ({ before, after }) => before !== change.before || after !== change.after,
  );
  return { ...ledger, edits: [...others, change].slice(-EDITS) };
}

/** What castle.yaml said before castle's own edits led to this text, the newest first. */
export function formerTexts({ edits = [] }: Pick<Ledger, "edits">, text: string): readonly string[] {
  const former: string[] = [];
  let now = text;
  for (const { before, after } of edits.toReversed()) {
    if (after !== now) continue;
    former.push(before);
    now = before;
  }
  return former;
}

/** The command that goes on with what was begun. */
export function commandOf(unfinished: Unfinished): string {
  switch (unfinished.verb) {
    case "replace":
      return `castle replace ${unfinished.node}`;
    case "scale":
      return `castle scale --control-planes ${unfinished.controlPlanes} --workers ${unfinished.workers}`;
    case "ghosts":
      return "castle ghosts --cure";
    case "restore":
      return `castle restore ${unfinished.backup}`;
    default:
      return unfinished satisfies never;
  }
}
