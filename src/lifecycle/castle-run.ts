import type { TerraformProgram } from "../infra/terraform-program.ts";
import type { Report } from "../journal/step.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { Castle } from "../spec/castle.ts";
import type { Ground } from "./ground/ground.ts";
import type { PlatformMaterials } from "./fortify/materials.ts";
import type { CastleHome } from "./home.ts";
import type { OwnImages } from "./own-images.ts";

/** All that an operation on a castle works with; made once, by the command line. */
export interface CastleRun {
  readonly castle: Castle;
  readonly home: CastleHome;
  readonly ground: Ground;
  readonly store: SecretStore;
  readonly programs: {
    readonly terraform: TerraformProgram;
    /** Path of the talosctl that generates secrets and configurations. */
    readonly talosctl: string;
  };
  /** What the platform is made from; only where the spec has gitops and the run may change the castle. */
  readonly platform?: PlatformMaterials | undefined;
  /** Only where the spec names a registry for them and the run may change the castle. */
  readonly ownImages?: OwnImages | undefined;
  /** An etcd snapshot that the castle is raised from, instead of empty; only for a restore. */
  readonly snapshot?: Uint8Array | undefined;
  readonly report: Report;
  /**
   * Milliseconds that one wait for the castle may take: for a machine to boot and answer, for etcd to have its voters,
   * for all nodes to be Ready.
   */
  readonly patience: number;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}
