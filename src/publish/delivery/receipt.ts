import type { ManifestCommit } from "./manifest-commit.ts";
import type { PhaseTime } from "./phase.ts";
import type { PodProof, PublicProof } from "./proof.ts";
import type { Pushed } from "./registry-push.ts";

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
