import { type Method, method } from "./schema.ts";

// TypeScript's view of proto/*.proto: the calls that castle makes, with the fields that it reads. 64-bit numbers are
// decimal strings, enums their names, absent messages null.

export interface NodeAnswer {
  /** Which node answered, when another one was asked to pass the question on. */
  readonly metadata: { readonly hostname: string; readonly error: string } | null;
}

/** Talos answers every unary call with a list: one entry a node asked. */
export interface Answers<Answer> {
  readonly messages: readonly Answer[];
}

interface Timestamp {
  readonly seconds: string;
  readonly nanos: number;
}

export type ApplyMode = "AUTO" | "NO_REBOOT" | "REBOOT" | "STAGED" | "TRY";

interface ApplyConfigurationRequest {
  readonly data: Buffer;
  readonly mode: ApplyMode;
  readonly dryRun: boolean;
}

export interface AppliedConfiguration extends NodeAnswer {
  readonly warnings: readonly string[];
  readonly mode: ApplyMode;
  readonly modeDetails: string;
}

export interface VersionAnswer extends NodeAnswer {
  readonly version: { readonly tag: string; readonly arch: string } | null;
  readonly platform: { readonly name: string; readonly mode: string } | null;
}

export interface ServiceListAnswer extends NodeAnswer {
  readonly services: readonly {
    readonly id: string;
    readonly state: string;
    readonly events: {
      readonly events: readonly {
        readonly msg: string;
        readonly state: string;
        readonly ts: Timestamp | null;
      }[];
    } | null;
    readonly health: {
      readonly unknown: boolean;
      readonly healthy: boolean;
      readonly lastMessage: string;
    } | null;
  }[];
}

export interface EtcdMembersAnswer extends NodeAnswer {
  readonly members: readonly {
    readonly id: string;
    readonly hostname: string;
    readonly peerUrls: readonly string[];
    readonly clientUrls: readonly string[];
    readonly isLearner: boolean;
  }[];
}

export interface EtcdStatusAnswer extends NodeAnswer {
  readonly memberStatus: {
    readonly memberId: string;
    readonly leader: string;
    readonly isLearner: boolean;
    readonly protocolVersion: string;
    readonly storageVersion: string;
    readonly dbSize: string;
    readonly dbSizeInUse: string;
    readonly raftIndex: string;
    readonly raftTerm: string;
    readonly raftAppliedIndex: string;
    readonly errors: readonly string[];
  } | null;
}

export interface EtcdAlarmsAnswer extends NodeAnswer {
  readonly memberAlarms: readonly {
    readonly memberId: string;
    readonly alarm: "NONE" | "NOSPACE" | "CORRUPT";
  }[];
}

export interface MemoryAnswer extends NodeAnswer {
  /** KiB */
  readonly meminfo: {
    readonly memtotal: string;
    readonly memfree: string;
    readonly memavailable: string;
  } | null;
}

export interface SystemStatAnswer extends NodeAnswer {
  /** Seconds since 1970. */
  readonly bootTime: string;
}

export interface ActorAnswer extends NodeAnswer {
  readonly actorId: string;
}

export interface WireEvent extends NodeAnswer {
  readonly id: string;
  readonly actorId: string;
  readonly data: { readonly type_url: string; readonly value: Buffer } | null;
}

interface EventsRequest {
  readonly tailEvents?: number;
  readonly tailId?: string;
  readonly tailSeconds?: number;
  readonly withActorId?: string;
}

interface LogsRequest {
  readonly namespace: string;
  readonly id: string;
  readonly driver: "CONTAINERD" | "CRI";
  readonly follow: boolean;
  readonly tailLines: number;
}

export interface Chunk extends NodeAnswer {
  readonly bytes: Buffer;
}

interface ContainersRequest {
  readonly namespace: string;
  readonly driver: "CONTAINERD" | "CRI";
}

export interface ContainersAnswer extends NodeAnswer {
  readonly containers: readonly {
    /** NAMESPACE/NAME of the pod; of a container in it, more. */
    readonly id: string;
    readonly podId: string;
    /** The last part of its path; only the pod's own entry has it. */
    readonly networkNamespace: string;
  }[];
}

interface NetstatRequest {
  readonly filter: "ALL" | "CONNECTED" | "LISTENING";
  readonly feature: { readonly pid: boolean };
  readonly l4proto: {
    readonly tcp: boolean;
    readonly tcp6: boolean;
    readonly udp: boolean;
    readonly udp6: boolean;
  };
  readonly netns: { readonly hostnetwork: boolean; readonly allnetns: boolean };
}

export interface NetstatAnswer extends NodeAnswer {
  readonly connectrecord: readonly {
    readonly l4proto: string;
    readonly localip: string;
    readonly localport: number;
    readonly state: string;
    readonly netns: string;
  }[];
}

interface ResetRequest {
  readonly graceful: boolean;
  readonly reboot: boolean;
  readonly systemPartitionsToWipe: readonly { readonly label: string; readonly wipe: boolean }[];
  readonly mode: "ALL" | "SYSTEM_DISK" | "USER_DISKS";
}

export interface WireResource {
  readonly metadata: {
    readonly namespace: string;
    readonly type: string;
    readonly id: string;
    readonly version: string;
    readonly phase: string;
  } | null;
  readonly spec: { readonly yamlSpec: string } | null;
}

export interface ResourceKind {
  readonly namespace: string;
  readonly type: string;
}

interface WatchRequest extends ResourceKind {
  readonly id?: string;
  readonly options: { readonly bootstrapContents: boolean };
  readonly apiVersion: number;
}

export interface WireChange {
  readonly resource: WireResource | null;
  readonly eventType: "CREATED" | "UPDATED" | "DESTROYED" | "BOOTSTRAPPED" | "ERRORED" | "NOOP";
  readonly error?: string;
}

type Nothing = Record<string, never>;

interface BootstrapRequest {
  /** Start from the snapshot that EtcdRecover has brought. */
  readonly recoverEtcd: boolean;
}

const machine = <Request extends object, Answer>(name: string): Method<Request, Answers<Answer>> =>
  method("machine", name);

export const calls = {
  applyConfiguration: machine<ApplyConfigurationRequest, AppliedConfiguration>("ApplyConfiguration"),
  bootstrap: machine<BootstrapRequest, NodeAnswer>("Bootstrap"),
  containers: machine<ContainersRequest, ContainersAnswer>("Containers"),
  etcdAlarmList: machine<Nothing, EtcdAlarmsAnswer>("EtcdAlarmList"),
  etcdForfeitLeadership: machine<Nothing, NodeAnswer & { readonly member: string }>("EtcdForfeitLeadership"),
  etcdLeaveCluster: machine<Nothing, NodeAnswer>("EtcdLeaveCluster"),
  etcdMemberList: machine<{ readonly queryLocal: boolean }, EtcdMembersAnswer>("EtcdMemberList"),
  etcdRecover: machine<{ readonly bytes: Uint8Array }, NodeAnswer>("EtcdRecover"),
  etcdRemoveMemberById: machine<{ readonly memberId: string }, NodeAnswer>("EtcdRemoveMemberByID"),
  etcdStatus: machine<Nothing, EtcdStatusAnswer>("EtcdStatus"),
  memory: machine<Nothing, MemoryAnswer>("Memory"),
  netstat: machine<NetstatRequest, NetstatAnswer>("Netstat"),
  reboot: machine<Nothing, ActorAnswer>("Reboot"),
  reset: machine<ResetRequest, ActorAnswer>("Reset"),
  serviceList: machine<Nothing, ServiceListAnswer>("ServiceList"),
  serviceRestart: machine<{ readonly id: string }, NodeAnswer>("ServiceRestart"),
  shutdown: machine<{ readonly force: boolean }, ActorAnswer>("Shutdown"),
  systemStat: machine<Nothing, SystemStatAnswer>("SystemStat"),
  version: machine<Nothing, VersionAnswer>("Version"),

  affiliateDelete: method<{ readonly clusterId: string; readonly affiliateId: string }, Nothing>(
    "discovery",
    "AffiliateDelete",
  ),
  affiliateList: method<
    { readonly clusterId: string },
    { readonly affiliates: readonly { readonly id: string }[] }
  >("discovery", "List"),

  etcdSnapshot: method<Nothing, Chunk>("machine", "EtcdSnapshot"),
  events: method<EventsRequest, WireEvent>("machine", "Events"),
  kubeconfig: method<Nothing, Chunk>("machine", "Kubeconfig"),
  logs: method<LogsRequest, Chunk>("machine", "Logs"),
  read: method<{ readonly path: string }, Chunk>("machine", "Read"),

  getResource: method<
    ResourceKind & { readonly id: string; readonly options: Nothing },
    { readonly resource: WireResource | null }
  >("resources", "Get"),
  listResources: method<
    ResourceKind & { readonly options: Nothing },
    { readonly resource: WireResource | null }
  >("resources", "List"),
  watchResources: method<WatchRequest, { readonly event: readonly WireChange[] }>("resources", "Watch"),
} as const;
