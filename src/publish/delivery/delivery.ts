import type { ImageName } from "../../image/image-name.ts";
import type { RegistryClient } from "../../image/registry-client.ts";
import type { ImagePlace } from "../../gitops/edit/image-place.ts";
import type { Repository } from "../../gitops/repository.ts";
import type { Report } from "../../journal/step.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { PullAccess } from "./pull-access.ts";
import type { Visit } from "./visit.ts";

/** Whether a commit of the site is the other one, or before it; "unknown": one of them is not in the site's repository. */
export type Ancestry = (one: string, other: string) => Promise<"ancestor" | "other" | "unknown">;

export interface DeliverySite {
  readonly name: string;
  readonly host: string;
  /** As the spec and the manifests write it, without tag. */
  readonly image: string;
}

/** The manifests' repository, and where in it this site may be looked for. */
export interface DeliveryManifests {
  readonly repository: Repository;
  /** Folder in it, without a slash at its ends; undefined: all of it. */
  readonly folder?: string;
  /** A page that a castle shows before the first release, whose place the first release takes. */
  readonly isPlaceholder?: (place: ImagePlace) => boolean;
}

export interface DeliveryCluster {
  readonly api: KubernetesApi;
  /** A GitRepository that follows the manifests; they are found by address and branch unless told. */
  readonly source?: { readonly namespace: string; readonly name: string };
}

/** Where a release goes, and what is needed on the way: everything behind the packed image. */
export interface Delivery {
  readonly site: DeliverySite;
  readonly image: ImageName;
  readonly registry: RegistryClient;
  /** Undefined: nobody here has a login for the registry. */
  readonly pull: PullAccess | undefined;
  readonly manifests: DeliveryManifests;
  /** Undefined: no kubeconfig; the publication ends with the commit. */
  readonly cluster: DeliveryCluster | undefined;
  /** The way that a visitor comes; undefined: none from here. */
  readonly visit: Visit | undefined;
  readonly ancestry: Ancestry;
  readonly report: Report;
  readonly now: () => Date;
  /** Milliseconds that the rollout may take. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/** One release by its names. */
export interface ReleaseName {
  /** Of the site's repository, forty digits, or as many as are known. */
  readonly commit: string;
  readonly tag: string;
  readonly digest: string;
}
