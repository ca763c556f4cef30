import { CastleError } from "../errors/castle-error.ts";
import { planFolder } from "../gitops/generated-folder.ts";
import { componentNames } from "../platform/components.ts";
import { generatedFolder } from "../platform/synchronisation.ts";
import type { Castle } from "../spec/castle.ts";
import type { CastleRun } from "./castle-run.ts";
import { drawBlueprint } from "./fortify/blueprint.ts";
import { gitAccess } from "./fortify/git-access.ts";
import type { PlatformMaterials } from "./fortify/materials.ts";
import { openRepository } from "./fortify/publication.ts";

export interface FileChange {
  /** In the repository. */
  readonly path: string;
  readonly change: "written" | "removed";
}

/** What `up` would do in the GitOps repository. */
export interface PlatformPlan {
  readonly changes: readonly FileChange[];
  /** What somebody changed in castle's folder: `up` stops at these unless told --yes. */
  readonly edits: readonly { readonly path: string; readonly change: "edited" | "added" | "removed" }[];
  /** From what castle wrote to what lies there now. */
  readonly diff: string;
}

/** A platform whose ground is not there yet: every component is new. */
export function platformFromNothing(castle: Castle): PlatformPlan {
  const { gitops } = castle;
  if (gitops === undefined) return { changes: [], edits: [], diff: "" };
  const folder = generatedFolder(gitops);
  return {
    changes: componentNames(castle).map((name) => ({ path: `${folder}/${name}`, change: "written" })),
    edits: [],
    diff: "",
  };
}

/** Reads the repository and changes nothing in it. @throws CastleError gitops/…, lifecycle/not-raised */
export async function planPlatform(run: CastleRun, materials: PlatformMaterials): Promise<PlatformPlan> {
  const ground = await run.ground.platform().catch((error: unknown) => {
    // The lab is up, and was never asked for a platform.
    if (error instanceof CastleError && error.code === "lifecycle/not-raised") return undefined;
    throw error;
  });
  if (ground === undefined) return platformFromNothing(run.castle);
  const access = await gitAccess(run, ground);
  const [{ folder }, repository] = await Promise.all([
    drawBlueprint(run.castle, materials.manifests, ground, access.secret !== undefined),
    openRepository(run, materials.environment, ground, access),
  ]);
  const tip = await repository.fetchTip();
  const options = { message: "", overwrite: false };
  const plan = await planFolder(repository, tip, { folder, options });
  switch (plan.kind) {
    case "unchanged":
      return { changes: [], edits: [], diff: "" };
    case "stop":
      return { changes: [], edits: plan.answer.edits, diff: plan.answer.diff };
    case "change":
      return { changes: [...plan.change.files].map(fileChange), edits: [], diff: "" };
    default:
      return plan satisfies never;
  }
}

function fileChange([path, content]: readonly [string, Uint8Array | undefined]): FileChange {
  return { path, change: content === undefined ? "removed" : "written" };
}
