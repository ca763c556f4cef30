import type { KubernetesApi } from "../kubernetes/api.ts";
import { runStep } from "../journal/step.ts";
import { poll } from "../support/poll.ts";
import type { CastleRun } from "./castle-run.ts";
import { fluxState, requestComponent, requestFetch } from "./fortify/flux-state.ts";
import { applied, fetched, FluxView } from "./fortify/synchronised.ts";

export interface Reconciled {
  /** BRANCH@sha1:COMMIT, which all components run now. */
  readonly revision: string;
  readonly components: readonly string[];
}

const EVERY = 150;

/** Makes Flux fetch the repository now, and waits until every component runs what it fetched. */
export async function reconcile(
  run: Pick<CastleRun, "signal" | "patience" | "report">,
  api: KubernetesApi,
): Promise<Reconciled> {
  const { signal, report } = run;
  const done = new AbortController();
  try {
    const view = new FluxView(api, signal);
    let revision = "";
    await runStep(report, { id: "source", title: "Repository fetched by Flux" }, async () => {
      revision = await fetched(run, view, await requestFetch(api, new Date(), signal));
      return { detail: revision };
    });
    const components = [...(await view.latest()).components.keys()].toSorted();
    const hastened = hasten(api, revision, AbortSignal.any([signal, done.signal]));
    await applied(run, view, revision, components);
    done.abort();
    await hastened;
    return { revision, components };
  } finally {
    done.abort();
  }
}

/**
 * A component that waits for another is looked at again by Flux some seconds after that one is ready; this asks for it
 * at once. A help, no condition.
 */
async function hasten(api: KubernetesApi, revision: string, signal: AbortSignal): Promise<void> {
  const asked = new Map<string, number>();
  await poll<true>(
    async () => {
      const { components } = await fluxState(api, signal);
      const ready = [...components.values()].filter((one) => one.revision === revision).length;
      const waiting = [...components].filter(
        ([name, { verdict }]) => verdict.words.startsWith("DependencyNotReady") && asked.get(name) !== ready,
      );
      for (const [name] of waiting) asked.set(name, ready);
      await Promise.all(waiting.map(([name]) => requestComponent(api, name, new Date(), signal)));
      return undefined;
    },
    { every: EVERY, within: Infinity, signal, onTimeout: () => new Error("it never ends by itself") },
  ).catch(() => undefined);
}
