import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { poll } from "../support/poll.ts";
import type { KubernetesApi } from "./api.ts";
import { type KubernetesObject, objectName } from "./object.ts";
import { Resources } from "./resources.ts";

export const conditionShape = z.object({
  type: z.string(),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string().optional(),
  message: z.string().optional(),
  observedGeneration: z.number().optional(),
});
export type Condition = z.infer<typeof conditionShape>;

export const observedShape = z.object({
  metadata: z.object({ generation: z.number().optional() }),
  status: z
    .looseObject({
      conditions: z.array(conditionShape).optional(),
      observedGeneration: z.number().optional(),
    })
    .optional(),
});
type Observed = z.infer<typeof observedShape>;

export interface ConditionWait {
  /** Such as Ready. */
  readonly condition: string;
  /** Milliseconds. */
  readonly within: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the object may say no before it is believed; 3 000 unless told. What says that it waits for
   * something else is asked on until the time is over.
   */
  readonly patience?: number;
  /** What else has to be true of its status, for example the applied revision. */
  readonly also?: (status: Readonly<Record<string, unknown>>) => boolean;
}

/** Milliseconds. */
const EVERY = 250;
const PATIENCE = 3_000;

/** No, but not for good: the object waits for others, or works on it. */
const UNDERWAY = new Set([
  "Progressing",
  "ProgressingWithRetry",
  "DependencyNotReady",
  "ArtifactNotFound",
  "NewReplicaSetAvailable",
  "MinimumReplicasUnavailable",
]);

/**
 * Waits until an object of the cluster says that the condition is true of what it was last asked to be.
 * @throws CastleError kubernetes/not-ready with the object's own words as soon as it fails for good,
 *   kubernetes/timed-out with its last words, kubernetes/unreachable if the API stays away, command/interrupted
 */
export async function waitForCondition(
  api: KubernetesApi,
  object: KubernetesObject,
  wait: ConditionWait,
): Promise<void> {
  const resources = new Resources(api);
  const { condition: type, within, signal, patience = PATIENCE, also = () => true } = wait;
  const name = objectName(object);
  let last = "it is not there";
  let away: CastleError | undefined;
  let refusedSince: number | undefined;
  await poll(
    async () => {
      const observed = await look(api, resources, object, signal).catch((error: unknown) => {
        // One node that goes away takes the connection with it, not the wait.
        if (!(error instanceof CastleError) || !PASSING.has(error.code)) throw error;
        away = error;
        last = error.message;
        return undefined;
      });
      if (observed === undefined) return undefined;
      away = undefined;
      const verdict = judge(observed, type);
      last = verdict.words;
      if (verdict.kind === "true" && also(observed.status ?? {})) return true;
      if (verdict.kind !== "false") {
        refusedSince = undefined;
        return undefined;
      }
      refusedSince ??= performance.now();
      if (!verdict.final && performance.now() - refusedSince < patience) return undefined;
      throw new CastleError("kubernetes/not-ready", {
        message: `${name} is not ${type}: ${verdict.words}`,
        hint: describeCommand(object),
        details: { object: name, condition: verdict.condition },
      });
    },
    {
      every: EVERY,
      within,
      signal,
      onTimeout: () =>
        away ??
        new CastleError("kubernetes/timed-out", {
          message: `${name} is not ${type} after ${Math.round(within / 1_000)} s: ${last}`,
          hint: describeCommand(object),
          details: { object: name },
        }),
    },
  );
}

const PASSING: ReadonlySet<string> = new Set(["kubernetes/unreachable", "kubernetes/unknown-kind"]);

async function look(
  api: KubernetesApi,
  resources: Resources,
  object: KubernetesObject,
  signal: AbortSignal | undefined,
): Promise<Observed | undefined> {
  const { status, body } = await api.call({ path: await resources.path(object, signal), signal });
  return status === 200 ? observedShape.safeParse(body).data : undefined;
}

export type Verdict =
  | { readonly kind: "true" | "waiting"; readonly words: string }
  | {
      readonly kind: "false";
      readonly words: string;
      readonly final: boolean;
      readonly condition: Condition;
    };

/** What an object says of its present self; what it said of an earlier one does not count. */
export function judge({ metadata, status }: Observed, type: string): Verdict {
  const conditions = status?.conditions ?? [];
  const current = ({ observedGeneration = status?.observedGeneration }: Condition) =>
    observedGeneration === undefined || observedGeneration >= (metadata.generation ?? 0);
  const stalled = conditions.find((one) => one.type === "Stalled" && one.status === "True" && current(one));
  const found = conditions.find((one) => one.type === type);
  const words = says(stalled ?? found);
  if (stalled !== undefined) return { kind: "false", words, final: true, condition: stalled };
  if (found === undefined || found.status === "Unknown" || !current(found)) return { kind: "waiting", words };
  if (found.status === "True") return { kind: "true", words };
  if (UNDERWAY.has(found.reason ?? "")) return { kind: "waiting", words };
  return { kind: "false", words, final: false, condition: found };
}

function says(condition: Condition | undefined): string {
  if (condition === undefined) return "it has not said anything yet";
  const { reason, message = "" } = condition;
  return [reason, message].filter((part) => part !== undefined && part !== "").join(": ");
}

function describeCommand({ kind, metadata }: KubernetesObject): string {
  const namespace = metadata.namespace === undefined ? "" : ` -n ${metadata.namespace}`;
  return `kubectl describe ${kind.toLowerCase()}${namespace} ${metadata.name}`;
}
