import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import { reconcile } from "../lifecycle/reconcile.ts";
import type { AnswerOf } from "./answer.ts";
import { withCluster } from "./cluster-session.ts";
import type { Context } from "./context.ts";
import { elapsed } from "./progress/elapsed.ts";
import { secretStore } from "./secret-store.ts";
import { readSpecFile } from "./spec-file.ts";

interface Choice {
  readonly file: string;
  /** Seconds. */
  readonly timeout: number;
}

/** @throws CastleError platform/not-installed, lifecycle/not-raised, kubernetes/… */
export async function reconcileCastle(
  context: Context,
  report: Report,
  { file, timeout }: Choice,
): Promise<AnswerOf<"Reconciled">> {
  const start = performance.now();
  const spec = await readSpecFile(context, file);
  const { name, gitops } = spec.castle;
  if (gitops === undefined) {
    throw new CastleError("platform/not-installed", {
      message: `Castle ${name} has no gitops in its spec, so nothing is applied from Git`,
      hint: "add gitops to castle.yaml, then: castle up",
    });
  }
  const run = { report, patience: timeout * 1000, signal: context.signal };
  const { revision, components } = await withCluster(context, spec, secretStore(context, spec), (api) =>
    reconcile(run, api),
  );
  const milliseconds = Math.round(performance.now() - start);
  return {
    kind: "Reconciled",
    data: { castle: name, revision, components: [...components], milliseconds },
    text: `Castle ${name} runs ${revision}: ${components.length} components healthy after ${elapsed(milliseconds)}`,
  };
}
