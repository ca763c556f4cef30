import type { KubernetesApi } from "../kubernetes/api.ts";
import { runStep } from "../journal/step.ts";
import type { CastleRun } from "./castle-run.ts";
import { requestFetch } from "./fortify/flux-state.ts";
import { hastenComponents } from "./fortify/hasten.ts";
import { applied, fetched, FluxView } from "./fortify/synchronised.ts";

export interface Reconciled {
  /** BRANCH@sha1:COMMIT, which all components run now. */
  readonly revision: string;
  readonly components: readonly string[];
}

/** Milliseconds between two looks at Flux: somebody waits, and it is over in a second or two. */
const EVERY = 100;

/** Makes Flux fetch the repository now, and waits until every component runs what it fetched. */
export async function reconcile(
  run: Pick<CastleRun, "signal" | "patience" | "report">,
  api: KubernetesApi,
): Promise<Reconciled> {
  const { signal, report } = run;
  const done = new AbortController();
  try {
    const view = new FluxView(api, signal, EVERY);
    let revision = "";
    await runStep(report, { id: "source", title: "Repository fetched by Flux" }, async () => {
      revision = await fetched(run, view, await requestFetch(api, new Date(), signal));
      return { detail: revision };
    });
    const components = [...(await view.latest()).components.keys()].toSorted();
    const hastened = hastenComponents(view, revision, AbortSignal.any([signal, done.signal]));
    await applied(run, view, revision, components);
    done.abort();
    await hastened;
    return { revision, components };
  } finally {
    done.abort();
  }
}
