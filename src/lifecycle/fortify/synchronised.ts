import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { Verdict } from "../../kubernetes/conditions.ts";
import { runStep } from "../../journal/step.ts";
import { FLUX_NAMESPACE } from "../../platform/flux-controller.ts";
import { poll } from "../../support/poll.ts";
import type { CastleRun } from "../castle-run.ts";
import { type FluxState, fluxState } from "./flux-state.ts";
import { Stalls } from "./stalls.ts";

/** Milliseconds between two looks, and for how long Flux may say no before it is believed. */
const EVERY = 300;
const PATIENCE = { source: 6_000, component: 20_000 } as const;

/** One look at Flux that all who wait share. */
export class FluxView {
  readonly api: KubernetesApi;
  /** Milliseconds between two looks. */
  readonly every: number;
  readonly #signal: AbortSignal;
  readonly #stalls: Stalls;
  #looked = -Infinity;
  #look: Promise<FluxState> | undefined;

  constructor(api: KubernetesApi, signal: AbortSignal, every = EVERY) {
    this.api = api;
    this.every = every;
    this.#signal = signal;
    this.#stalls = new Stalls(api, signal);
  }

  /** @throws CastleError platform/stalled if something in the cluster cannot go on */
  latest(): Promise<FluxState> {
    const now = performance.now();
    if (this.#look === undefined || now - this.#looked >= this.every) {
      this.#looked = now;
      this.#look = this.#ask();
    }
    return this.#look;
  }

  async #ask(): Promise<FluxState> {
    const [state] = await Promise.all([fluxState(this.api, this.#signal), this.#stalls.refuse()]);
    return state;
  }
}

type Waiting = Pick<CastleRun, "signal" | "patience">;

/**
 * Waits until Flux has fetched the repository for each of these sources.
 * @param handled the request that they must have carried out; undefined: any artifact will do
 * @returns the revision of the first, BRANCH@sha1:COMMIT
 */
export async function fetched(
  run: Waiting,
  view: FluxView,
  names: readonly string[],
  handled: string | undefined,
): Promise<string> {
  const revisions = await Promise.all(
    names.map((name) =>
      awaitVerdict(run, view, {
        object: `GitRepository ${FLUX_NAMESPACE}/${name}`,
        patience: PATIENCE.source,
        look: ({ sources }) => {
          const source = sources.get(name);
          return {
            verdict: source?.verdict,
            answer: handled === undefined || source?.handled === handled ? source?.revision : undefined,
          };
        },
      }),
    ),
  );
  return revisions[0] ?? "";
}

/** Waits, a step for each, until Flux has applied what it fetched and everything of the component is healthy. */
export async function applied(
  run: Waiting & Pick<CastleRun, "report">,
  view: FluxView,
  components: readonly string[],
): Promise<void> {
  await Promise.all(
    components.map((name) =>
      runStep(run.report, { id: `component-${name}`, title: `Flux: ${name}` }, async () => {
        await awaitVerdict(run, view, {
          object: `Kustomization ${FLUX_NAMESPACE}/${name}`,
          patience: PATIENCE.component,
          look: ({ components: all }) => {
            const found = all.get(name);
            return { verdict: found?.verdict, answer: found?.current === true ? true : undefined };
          },
        });
        return undefined;
      }),
    ),
  );
}

interface Wait<T> {
  readonly object: string;
  readonly patience: number;
  readonly look: (state: FluxState) => {
    readonly verdict: Verdict | undefined;
    readonly answer: T | undefined;
  };
}

async function awaitVerdict<T>(
  { signal, patience: within }: Waiting,
  view: FluxView,
  { object, patience, look }: Wait<T>,
): Promise<T> {
  let last = "it is not there";
  let refusedSince: number | undefined;
  return poll(
    async () => {
      const state = await view.latest().catch((error: unknown) => {
        // One node that goes away takes the connection with it, not the wait.
        if (!(error instanceof CastleError) || error.code !== "kubernetes/unreachable") throw error;
        last = error.message;
        return undefined;
      });
      if (state === undefined) return undefined;
      const { verdict, answer } = look(state);
      if (verdict === undefined) return undefined;
      last = verdict.words;
      if (verdict.kind === "true") {
        refusedSince = undefined;
        return answer;
      }
      if (verdict.kind !== "false") return undefined;
      // Flux tries again every few seconds and says that it does: the time counts from its first no.
      refusedSince ??= performance.now();
      if (!verdict.final && performance.now() - refusedSince < patience) return undefined;
      throw new CastleError("kubernetes/not-ready", {
        message: `${object} is not Ready: ${verdict.words}`,
        hint: object.startsWith("GitRepository")
          ? `castle up gives Flux the credentials of the secret store again; ${describe(object)}`
          : describe(object),
        details: { object, condition: verdict.condition },
      });
    },
    {
      every: view.every,
      within,
      signal,
      onTimeout: () =>
        new CastleError("kubernetes/timed-out", {
          message: `${object} did not get to what Git holds within ${within / 1000} s: ${last}`,
          hint: describe(object),
          details: { object },
        }),
    },
  );
}

function describe(object: string): string {
  const [kind = "", name = ""] = object.split(" ");
  const [namespace, simple] = name.split("/");
  return `castle kubectl -- -n ${namespace} describe ${kind.toLowerCase()} ${simple}`;
}
