import type { Role } from "../spec/castle.ts";

/**
 * What everybody who can be asked says about who belongs to the castle. Collected at one moment; plain data, so that a
 * recorded testimony is judged as a live one is. All times are seconds.
 */
export interface Testimony {
  readonly spec: readonly ExpectedNode[];
  /** One a node of the spec, in its order. */
  readonly nodes: readonly NodeTestimony[];
  /** Undefined: no control plane told its etcd's members. */
  readonly etcd: EtcdTestimony | undefined;
  /** What discovery says, by the nodes that answered; undefined: nobody did, or discovery is off. */
  readonly discovery: readonly Affiliate[] | undefined;
  /** Undefined: the API did not answer. */
  readonly kubernetes: readonly RegisteredNode[] | undefined;
}

export interface ExpectedNode {
  readonly name: string;
  readonly address: string;
  readonly role: Role;
}

export interface NodeTestimony {
  readonly name: string;
  /** What the hypervisor says of its machine. */
  readonly machine: "running" | "stopped" | "missing" | "unknown";
  /** How its machine API answers to this castle's credentials. */
  readonly answer: "trusted" | "maintenance" | "foreign" | "silent";
  /** Whose its kubelet is, asked where the machine runs and its machine API is silent; undefined: it does not tell. */
  readonly kubelet?: "trusted" | "foreign";
  /** What the node calls itself, in etcd too; undefined: it does not tell. */
  readonly hostname?: string;
  /** Its etcd; undefined on workers and where the machine API did not tell. */
  readonly etcd?: EtcdService;
}

export interface EtcdService {
  /** Talos' word: Preparing, Waiting, Starting, Running, Failed, Finished … */
  readonly state: string;
  /** How long it has been in that state; undefined: the node does not tell. */
  readonly seconds: number | undefined;
  /** Its own member id, while its etcd answers. */
  readonly member?: string;
  /** Follows a leader, without errors. */
  readonly healthy: boolean;
  readonly version?: string;
  /** What its log or console said since it last started, of the complaints below. */
  readonly complaints: readonly Complaint[];
  /** In etcd's words: NOSPACE, CORRUPT. */
  readonly alarms?: readonly string[];
}

/** Words of etcd and Talos v1.11 by which a node itself tells what is wrong with its membership. */
export type Complaint =
  /** "etcd is waiting to join the cluster": it has no data and wants to become a member. Normal while it joins. */
  | "waits-to-join"
  /** "the member has been permanently removed from the cluster" */
  | "removed"
  /** "Peer URLs already exists" */
  | "peer-exists"
  /** "unhealthy cluster" */
  | "unhealthy-cluster"
  /** "too many learner members in cluster" */
  | "too-many-learners"
  /** "cluster ID mismatch" */
  | "other-cluster";

export interface EtcdTestimony {
  /** With quorum behind it, or one member's own belief. */
  readonly agreed: boolean;
  readonly members: readonly Member[];
  /** Lists of members that contradict the one above, by the node that tells it: ids only. */
  readonly contradictions: readonly { readonly node: string; readonly members: readonly string[] }[];
}

export interface Member {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** Empty: it has never started. */
  readonly name: string;
  /** Hosts of its peer URLs. */
  readonly peers: readonly string[];
  readonly learner: boolean;
  /** Since it was added, by the leader's log or by what castle remembers; undefined: nobody knows. */
  readonly seconds: number | undefined;
  /** Its own machine API says that it follows a leader. Asked of those only that no node of the spec owns. */
  readonly healthy?: boolean;
}

/** A node as discovery's Members list it. */
export interface Affiliate {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly role: Role | "unknown";
}

/** A Node object of Kubernetes. */
export interface RegisteredNode {
  readonly name: string;
  readonly address: string | undefined;
  readonly ready: boolean;
}
