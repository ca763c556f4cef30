import type { Repository } from "../gitops/repository.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { runStep } from "../journal/step.ts";
import { SYNC_NAME } from "../platform/synchronisation.ts";
import type { CastleRun } from "./castle-run.ts";
import { requestFetch } from "./fortify/flux-state.ts";
import { hastenComponents } from "./fortify/hasten.ts";
import { type Pushed, whatWasPushed } from "./fortify/pushed.ts";
import { applied, fetched, FluxView } from "./fortify/synchronised.ts";

export interface Reconciled {
  /** BRANCH@sha1:COMMIT, which these components run now. */
  readonly revision: string;
  /** What the pushed change concerns. */
  readonly components: readonly string[];
  /** What it cannot concern: they stand healthy at an earlier revision, and take this one at Flux' next look. */
  readonly unconcerned: readonly string[];
}

/** Milliseconds between two looks at Flux: somebody waits, and it is over in a second or two. */
const EVERY = 100;

/**
 * Makes Flux fetch now what was pushed, for the components that it concerns, and waits until they run it. Where the
 * repository cannot be read from here all are asked.
 */
export async function reconcile(
  run: Pick<CastleRun, "castle" | "signal" | "patience" | "report">,
  api: KubernetesApi,
  repository: Promise<Repository>,
): Promise<Reconciled> {
  const { castle, signal, report } = run;
  const done = new AbortController();
  try {
    const view = new FluxView(api, signal, EVERY);
    let pushed: Pushed | undefined;
    await runStep(report, { id: "changes", title: "What was pushed" }, async () => {
      pushed = await whatWasPushed(castle, repository, view.latest());
      const { concerned, unconcerned } = pushed;
      if (unconcerned.length === 0) return { detail: "all components take it" };
      return { detail: concerned.length === 0 ? "nothing new" : `${concerned.join(", ")} take it` };
    });
    if (pushed === undefined) throw new Error("the step ends with a result or an error");
    const { concerned, unconcerned } = pushed;
    let revision = "";
    await runStep(report, { id: "source", title: "Repository fetched by Flux" }, async () => {
      const { components } = await view.latest();
      const asked = concerned.map((name) => components.get(name)?.source ?? name);
      // That Flux can fetch at all is told even where there is nothing to take.
      const sources = asked.length === 0 ? [SYNC_NAME] : [...new Set(asked)];
      revision = await fetched(run, view, sources, await requestFetch(api, sources, new Date(), signal));
      return { detail: revision };
    });
    const hastened = hastenComponents(view, AbortSignal.any([signal, done.signal]));
    await applied(run, view, concerned);
    done.abort();
    await hastened;
    return { revision, components: concerned, unconcerned };
  } finally {
    done.abort();
  }
}
