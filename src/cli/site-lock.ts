import { writeFile } from "node:fs/promises";
import { CastleError } from "../errors/castle-error.ts";
import { hugoVersion } from "../publish/build/hugo.ts";
import { type LockPlan, planSiteLock } from "../publish/lock/plan-site-lock.ts";
import type { Context } from "./context.ts";
import { openParts } from "./parts-session.ts";
import { ownBase } from "./site-base.ts";

/** Pins base and Hugo of today in the castle.lock of a site's folder. @throws CastleError build/hugo-missing */
export async function pinSite(context: Context, site: string, folder: string): Promise<LockPlan> {
  const hugo = await hugoVersion((await castleHugo(context)) ?? "hugo", context.env["PATH"]);
  const plan = await planSiteLock({ folder, base: await ownBase(context), hugo: hugo ?? "" });
  if (plan.lock.build.kind === "hugo" && hugo === undefined) {
    throw new CastleError("build/hugo-missing", {
      message: `${site} is built by Hugo, and there is none on PATH and none among the parts: nothing was pinned`,
      hint: "castle parts build, or put a Hugo on PATH; then castle publish --lock again",
    });
  }
  if (!plan.same) await writeFile(plan.path, plan.text);
  return plan;
}

/** Castle's own Hugo; undefined: the part is not there. */
export function castleHugo(context: Context): Promise<string | undefined> {
  return openParts(context)
    .resolve("hugo")
    .catch(() => undefined);
}
