import type { Manifest } from "./manifest.ts";

/** What of a cluster is read, by kind; diseases name these. */
export type ObjectKind =
  | "ConfigMap"
  | "DaemonSet"
  | "Deployment"
  | "EndpointSlice"
  | "Event"
  | "GitRepository"
  | "IPAddressPool"
  | "Ingress"
  | "IngressRoute"
  | "Kustomization"
  | "L2Advertisement"
  | "Lease"
  | "Namespace"
  | "Node"
  | "Pod"
  | "Secret"
  | "Service"
  | "StatefulSet";

/** The objects of a cluster. */
export interface ClusterObjects {
  readonly silent?: never;
  /** With the leading v. */
  readonly version: string;
  readonly objects: readonly Manifest[];
  /** Kinds that the API did not tell, with its reason: nothing can be said of them. */
  readonly unread: ReadonlyMap<ObjectKind, string>;
}
