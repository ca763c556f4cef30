import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { Pod, Workload } from "./workload.ts";

/** Why a rollout will not come to its end by itself; undefined: nothing speaks against it yet. */
export interface RolloutFault {
  readonly reason: string;
  readonly message: string;
  /** The pod that it is about; none where pods are not even made. */
  readonly pod?: Pod;
}

/** What does not pass: the kubelet has given up once already, or never will begin. */
const WAITING = new Set([
  "CrashLoopBackOff",
  "CreateContainerConfigError",
  "CreateContainerError",
  "ErrImageNeverPull",
  "ImageInspectError",
  "ImagePullBackOff",
  "InvalidImageName",
  "RunContainerError",
]);

/** @param pods those of the release alone: what goes wrong with the ones before is what this release may mend */
export function rolloutFault({ status }: Workload, pods: readonly Pod[]): RolloutFault | undefined {
  const conditions = status?.conditions ?? [];
  // Pod Security, a quota, a webhook: the API server refuses the pods themselves.
  const refused = conditions.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (refused !== undefined)
    return { reason: refused.reason ?? "FailedCreate", message: refused.message ?? "" };
  for (const pod of pods) {
    const fault = podFault(pod);
    if (fault !== undefined) return fault;
  }
  const late = conditions.find(
    ({ type, status, reason }) =>
      type === "Progressing" && status === "False" && reason === "ProgressDeadlineExceeded",
  );
  return late === undefined
    ? undefined
    : { reason: "ProgressDeadlineExceeded", message: late.message ?? "", ...unready(pods) };
}

function podFault(pod: Pod): RolloutFault | undefined {
  for (const { state, restartCount = 0 } of pod.status?.containerStatuses ?? []) {
    const { waiting, terminated } = state ?? {};
    if (waiting?.reason !== undefined && WAITING.has(waiting.reason)) {
      return { reason: waiting.reason, message: waiting.message ?? "", pod };
    }
    if (terminated !== undefined && restartCount > 0) {
      const words = `ended with exit code ${terminated.exitCode ?? "?"} ${terminated.message ?? ""}`;
      return { reason: terminated.reason ?? "Error", message: words.trim(), pod };
    }
  }
  if (pod.status?.phase !== "Failed") return undefined;
  return { reason: "Failed", message: "the pod has failed", pod };
}

function unready(pods: readonly Pod[]): { readonly pod?: Pod } {
  const pod = pods.find(({ status }) => status?.containerStatuses?.every(({ ready }) => ready) !== true);
  return pod === undefined ? {} : { pod };
}

const eventsShape = z.object({
  items: z.array(
    z.object({
      type: z.string().optional(),
      reason: z.string().optional(),
      message: z.string().optional(),
      lastTimestamp: z.string().nullish(),
      metadata: z.object({ creationTimestamp: z.string().optional() }),
    }),
  ),
});

/** The fault with what the cluster itself wrote about it. */
export async function rolloutError(
  api: KubernetesApi,
  { metadata: { namespace, name } }: Workload,
  { reason, message, pod }: RolloutFault,
  signal: AbortSignal,
): Promise<CastleError> {
  const event = pod === undefined ? undefined : await lastWarning(api, pod, signal).catch(() => undefined);
  const who = pod === undefined ? `Deployment ${namespace}/${name}` : `Pod ${namespace}/${pod.metadata.name}`;
  const said = [...new Set([message, event])].filter((text) => text !== undefined && text !== "").join("; ");
  return new CastleError("publish/rollout", {
    message: `${who}: ${reason}${said === "" ? "" : `: ${said}`}`,
    hint:
      pod === undefined
        ? `kubectl -n ${namespace} describe replicasets`
        : `kubectl -n ${namespace} describe pod ${pod.metadata.name}; castle rollback goes back`,
    details: {
      reason,
      namespace,
      deployment: name,
      ...(pod === undefined ? {} : { pod: pod.metadata.name }),
    },
  });
}

async function lastWarning(api: KubernetesApi, pod: Pod, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, uid } = pod.metadata;
  const query = new URLSearchParams({ fieldSelector: `involvedObject.uid=${uid},type=Warning` });
  const { body } = await api.call({
    path: `/api/v1/namespaces/${namespace}/events?${query.toString()}`,
    signal,
  });
  const events = eventsShape.parse(body).items;
  const at = (event: (typeof events)[number]) =>
    event.lastTimestamp ?? event.metadata.creationTimestamp ?? "";
  const newest = events.toSorted((one, other) => (at(one) < at(other) ? 1 : -1));
  // The back-off only says that it waits; what it waits after says why.
  return (newest.find(({ reason }) => reason !== "BackOff") ?? newest[0])?.message;
}
