import type { Castle, CastleNode } from "../spec/castle.ts";
import type { EtcdMember, EtcdStatus } from "../talos/etcd.ts";
import type { NeighbourEntry } from "../talos/neighbours.ts";
import type { MachineService } from "../talos/services.ts";
import type { ListeningSocket } from "../talos/sockets.ts";
import type { MachineState } from "../talos/stage.ts";
import type { ClusterObjects } from "./manifests/cluster-objects.ts";

/** All that was seen of a castle at one moment, by everybody who was asked at once. Plain data: checks are pure. */
export interface Examination {
  readonly castle: Castle;
  readonly at: Date;
  /** One a node of the spec, in its order: never by discovery, which knows the wrong nodes. */
  readonly nodes: readonly NodeExamination[];
  readonly cluster: ClusterExamination | { readonly silent: string };
  /** The objects that diseases are found in, as the API keeps them. */
  readonly objects: ClusterObjects | { readonly silent: string };
  /** What each pod of the cluster's own name server says of the API's name, asked inside the cluster. */
  readonly nameServers: readonly NameServerAnswer[];
  readonly lan: LanExamination | { readonly silent: string };
  /** Undefined: the castle has no gitops. */
  readonly git: GitExamination | { readonly silent: string } | undefined;
  readonly store: StoreExamination | { readonly silent: string };
  /** Certificates that castle itself holds, and those that nodes and sites show. */
  readonly certificates: readonly HeldCertificate[];
  /** Where the spec has backups. */
  readonly backups?: BackupsExamination | undefined;
}

export interface HeldCertificate {
  /** Whose it is, for example kube-apiserver on fortress-cp-1. */
  readonly object: string;
  /** Undefined: not known; a short life is then told like a long one's end. */
  readonly from?: Date;
  readonly until: Date;
}

/** What the castle's network shows to a visitor on it. */
export interface LanExamination {
  readonly silent?: never;
  /** MAC addresses, upper case, of all who answer ARP, by address; undefined: nobody here can ask. */
  readonly holders: ReadonlyMap<string, readonly string[]> | undefined;
  /** One a TCP port of a load balancer's address. */
  readonly doors: readonly Door[];
  /** What the network's name server says of each site's host. */
  readonly names: readonly NameAnswer[];
}

export interface Door {
  /** NAMESPACE/NAME */
  readonly service: string;
  readonly address: string;
  readonly port: number;
  /** Why no connection was opened; undefined: one was. */
  readonly refused: string | undefined;
  /** What it shows for each site's host; only the ingress' own door. */
  readonly pages: readonly PageVisit[];
}

export interface PageVisit {
  readonly host: string;
  /** Of the first page; undefined: none came. */
  readonly status: number | undefined;
  /** Why not, for example the certificate's fault. */
  readonly failed: string | undefined;
  /** The certificate that was shown; undefined: none, or no TLS. */
  readonly certificate: HeldCertificate | undefined;
}

export interface NameAnswer {
  readonly host: string;
  /** Who was asked: an address, or Pod NAMESPACE/NAME. */
  readonly server: string;
  /** Sorted; none: the name is not known. */
  readonly addresses: readonly string[];
  /** Why there was no answer. */
  readonly failed: string | undefined;
}

export interface NameServerAnswer extends NameAnswer {
  /** Why the question did not even reach it, which says nothing of the server; undefined: it did. */
  readonly unreached: string | undefined;
}

export interface GitExamination {
  readonly silent?: never;
  /** BRANCH@sha1:COMMIT, as Flux calls it; undefined: the repository is empty. */
  readonly revision: string | undefined;
  /** Which image each site's manifest names, by the site's name. */
  readonly images: ReadonlyMap<string, string>;
}

/** How the secret store and what it keeps for others compare. */
export interface StoreExamination {
  readonly silent?: never;
  readonly description: string;
  readonly pairs: readonly StorePair[];
  /** Names of what the store could not take yet. */
  readonly pending: readonly string[];
}

/** Fingerprints, never values; undefined: there is none. */
export interface StorePair {
  /** In the store, for example sops-age-key. */
  readonly name: string;
  /** In the castle, for example Secret flux-system/sops-age. */
  readonly object: string;
  readonly kept: string | undefined;
  readonly live: string | undefined;
}

export type BackupsExamination =
  | { readonly place: string; readonly newest: Date | undefined; readonly proved: boolean }
  | { readonly silent: string };

export type NodeExamination = { readonly node: CastleNode } & (
  | { readonly silent: string }
  | ({ readonly silent?: never } & NodeState)
);

/** What a node's machine API tells. Where one question failed, the field is undefined. */
export interface NodeState {
  readonly talos: string;
  readonly state: MachineState;
  readonly services: readonly MachineService[];
  /** Without the prefix length. */
  readonly addresses: readonly string[];
  readonly diagnostics: readonly { readonly id: string; readonly message: string }[];
  readonly staticPods: readonly { readonly id: string; readonly ready: boolean }[];
  /** MiB */
  readonly memory: number | undefined;
  /** MiB of the volume that everything but the configuration lies on; undefined: it is no volume of its own. */
  readonly disk: number | undefined;
  /** `off`: the configuration says not to synchronise. */
  readonly clock: "synchronised" | "not synchronised" | "off";
  /** Milliseconds that its clock is ahead of this machine's, to two seconds. */
  readonly skew: number | undefined;
  /** Whom it takes for the holders of its neighbours' addresses. */
  readonly neighbours: readonly NeighbourEntry[] | undefined;
  /** What listens in its own network and in its pods'. */
  readonly sockets: readonly ListeningSocket[] | undefined;
  /** Control planes only. */
  readonly etcd: EtcdExamination | undefined;
}

export interface EtcdExamination {
  readonly status: EtcdStatus;
  /** What this member itself believes. */
  readonly members: readonly EtcdMember[];
  readonly alarms: readonly string[];
  /** What it logged of a slow disk within the last minutes, its own words, the newest last. */
  readonly slow: readonly string[];
}

export interface ClusterExamination {
  readonly silent?: never;
  /** With the leading v. */
  readonly version: string;
  readonly nodes: readonly ClusterNodeState[];
  readonly pods: readonly PodState[];
  readonly workloads: readonly WorkloadState[];
}

export interface ClusterNodeState {
  readonly name: string;
  readonly kubelet: string;
  readonly unschedulable: boolean;
  /** Conditions that are not as they should be: Ready not True, or a pressure that is. */
  readonly troubles: readonly { readonly type: string; readonly message: string }[];
  readonly ready: boolean;
  /** When its kubelet last renewed its lease, by the kubelet's clock. */
  readonly renewed: Date | undefined;
}

export interface PodState {
  readonly namespace: string;
  readonly name: string;
  readonly node: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
}

export interface WorkloadState {
  readonly kind: "DaemonSet" | "Deployment";
  readonly namespace: string;
  readonly name: string;
  readonly wanted: number;
  readonly ready: number;
}

/** The nodes that told of themselves. */
export function toldNodes({ nodes }: Examination): readonly ({ readonly node: CastleNode } & NodeState)[] {
  return nodes.flatMap((one) => (one.silent === undefined ? [one] : []));
}

export function toldControlPlanes(
  examination: Examination,
): readonly ({ readonly node: CastleNode } & NodeState)[] {
  return toldNodes(examination).filter(({ node }) => node.role === "controlplane");
}
