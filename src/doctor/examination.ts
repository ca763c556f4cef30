import type { Castle, CastleNode } from "../spec/castle.ts";
import type { EtcdMember, EtcdStatus } from "../talos/etcd.ts";
import type { MachineService } from "../talos/services.ts";
import type { MachineState } from "../talos/stage.ts";

/** All that was seen of a castle at one moment, by everybody who was asked at once. Plain data: checks are pure. */
export interface Examination {
  readonly castle: Castle;
  readonly at: Date;
  /** One a node of the spec, in its order: never by discovery, which knows the wrong nodes. */
  readonly nodes: readonly NodeExamination[];
  readonly cluster: ClusterExamination | { readonly silent: string };
  /** Certificates that castle itself holds. */
  readonly certificates: readonly { readonly object: string; readonly until: Date }[];
}

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
  /** `off`: the configuration says not to synchronise. */
  readonly clock: "synchronised" | "not synchronised" | "off";
  /** Control planes only. */
  readonly etcd: EtcdExamination | undefined;
}

export interface EtcdExamination {
  readonly status: EtcdStatus;
  /** What this member itself believes. */
  readonly members: readonly EtcdMember[];
  readonly alarms: readonly string[];
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
