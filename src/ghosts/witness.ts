import type { Complaint, EtcdService, ExpectedNode, Member, NodeTestimony, Testimony } from "./testimony.ts";

/** Questions about a testimony that several classes ask. */
export function expectedNamed({ spec }: Testimony, name: string): ExpectedNode | undefined {
  return spec.find((node) => node.name === name);
}

/** The node of the spec that owns an address. */
export function expectedAt({ spec }: Testimony, addresses: readonly string[]): ExpectedNode | undefined {
  return spec.find(({ address }) => addresses.includes(address));
}

export function testimonyOf({ nodes }: Testimony, name: string): NodeTestimony | undefined {
  return nodes.find((node) => node.name === name);
}

export function membersOf({ etcd }: Testimony): readonly Member[] {
  return etcd?.members ?? [];
}

/** What Talos complains of only while it asks the others to let its etcd in, which it does where there is no data. */
const JOINER: ReadonlySet<Complaint> = new Set([
  "waits-to-join",
  "peer-exists",
  "unhealthy-cluster",
  "too-many-learners",
]);

/**
 * etcd on that node has no data, wants to be a member and is none yet. Talos calls it Preparing until it has joined; one
 * that restarts with its data is Preparing for a moment too, and says none of these words.
 */
export function isJoining(etcd: EtcdService | undefined): etcd is EtcdService {
  return (
    etcd?.member === undefined &&
    etcd?.state === "Preparing" &&
    etcd.complaints.some((complaint) => JOINER.has(complaint))
  );
}

/** For evidence: "etcd is Preparing for 31 s: Peer URLs already exists". */
export function serviceText({ state, seconds, complaints }: EtcdService): string {
  const time = seconds === undefined ? "" : ` for ${Math.round(seconds)} s`;
  const words = complaints.map((complaint) => WORDS[complaint]);
  return `etcd is ${state}${time}${words.length === 0 ? "" : `: ${words.join("; ")}`}`;
}

export function memberText({ id, name, peers, learner }: Member): string {
  const kind = learner ? "learner" : "voter";
  return `${kind} ${id}, name ${name === "" ? "none (never started)" : name}, peer ${peers.join(", ")}`;
}

const WORDS = {
  "waits-to-join": "it has no data and waits to join",
  removed: "the member has been permanently removed from the cluster",
  "peer-exists": "Peer URLs already exists",
  "unhealthy-cluster": "unhealthy cluster",
  "too-many-learners": "too many learner members in cluster",
  "other-cluster": "cluster ID mismatch",
} as const;
