import type { Delivery, ReleaseName } from "./delivery.ts";
import type { ManifestCommit } from "./manifest-commit.ts";
import type { PhaseTime } from "./phase.ts";
import type { PodProof, PublicProof } from "./proof.ts";
import type { Proof } from "./prove-live.ts";
import type { Pushed } from "./registry-push.ts";
import type { DeliveryRun } from "./run.ts";

/** What a publication or a rollback did and what was seen of it. Plain data, for a file and for people. */
export interface Receipt {
  readonly site: string;
  readonly action: "publish" | "rollback" | "resume";
  /** live: proven in every pod; committed: nobody looked into the cluster. */
  readonly outcome: "live" | "committed";
  readonly image: string;
  readonly commit: string;
  readonly tag: string;
  readonly digest: string;
  readonly registry: Pushed | undefined;
  readonly manifests: Pick<ManifestCommit, "commit" | "previous" | "pushed" | "file">;
  readonly pods: readonly PodProof[];
  readonly public: PublicProof | undefined;
  readonly warnings: readonly string[];
  readonly milliseconds: number;
  readonly phases: readonly PhaseTime[];
}

export interface Ending {
  readonly action: Receipt["action"];
  readonly release: ReleaseName;
  readonly committed: Receipt["manifests"];
  /** Undefined: there was no cluster to look into. */
  readonly proof: Proof | undefined;
  readonly pushed?: Pushed | undefined;
  readonly warnings?: readonly string[];
}

/** The receipt of a run that has come to its end. */
export function receiptOf(
  { site }: Delivery,
  run: DeliveryRun,
  { action, release, committed, proof, pushed, warnings = [] }: Ending,
): Receipt {
  return {
    site: site.name,
    action,
    outcome: proof === undefined ? "committed" : "live",
    image: site.image,
    commit: release.commit,
    tag: release.tag,
    digest: release.digest,
    registry: pushed,
    manifests: committed,
    pods: proof?.pods ?? [],
    public: proof?.public,
    warnings,
    milliseconds: run.milliseconds,
    phases: run.times,
  };
}
