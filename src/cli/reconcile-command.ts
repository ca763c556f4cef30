import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import type { Repository } from "../gitops/repository.ts";
import { type Reconciled, reconcile } from "../lifecycle/reconcile.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { Castle } from "../spec/castle.ts";
import type { AnswerOf } from "./answer.ts";
import { castleManifests } from "./castle-manifests.ts";
import { withCluster } from "./cluster-session.ts";
import type { Context } from "./context.ts";
import { withManifestsCopy } from "./manifests-copy.ts";
import { elapsed } from "./progress/elapsed.ts";
import { secretStore } from "./secret-store.ts";
import { readSpecFile, type SpecFile } from "./spec-file.ts";
import { standingGround } from "./standing-ground.ts";

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
  const { revision, components, unconcerned } = await withRepository(
    context,
    spec,
    gitops,
    (repository, store) =>
      withCluster(context, spec, store, (api) =>
        reconcile(
          { castle: spec.castle, report, patience: timeout * 1000, signal: context.signal },
          api,
          repository,
        ),
      ),
  );
  const milliseconds = Math.round(performance.now() - start);
  return {
    kind: "Reconciled",
    data: {
      castle: name,
      revision,
      components: [...components],
      unconcerned: [...unconcerned],
      milliseconds,
    },
    text: told({ name, revision, components, unconcerned }, elapsed(milliseconds)),
  };
}

function told(
  { name, revision, components, unconcerned }: Reconciled & { readonly name: string },
  time: string,
): string {
  if (components.length === 0) return `Castle ${name} has nothing to take from ${revision} after ${time}`;
  const all = unconcerned.length === 0 ? "" : `, ${unconcerned.length} others not concerned`;
  return `Castle ${name} runs ${revision}: ${components.join(", ")} healthy after ${time}${all}`;
}

/** The repository is opened while the cluster is asked; that it cannot be is no error here. */
async function withRepository<T>(
  context: Context,
  spec: SpecFile,
  gitops: NonNullable<Castle["gitops"]>,
  work: (repository: Promise<Repository>, store: SecretStore) => Promise<T>,
): Promise<T> {
  const store = secretStore(context, spec);
  const { castle } = spec;
  const ground = await standingGround(context, castle);
  const opened = await withManifestsCopy(context, undefined, async (openManifests) => {
    const repository = castleManifests(
      { name: castle.name, gitops, store },
      ground.platform(),
      openManifests,
    );
    repository.catch(() => {});
    return { answer: await work(repository, store), close: () => {} };
  });
  await opened.close();
  return opened.answer;
}
