import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import { runStep } from "../../journal/step.ts";
import { KubernetesApi } from "../../kubernetes/api.ts";
import type { Secret } from "../../support/secret.ts";
import { poll } from "../../support/poll.ts";
import type { CastleRun } from "../castle-run.ts";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
const leasesShape = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ renewTime: z.iso.datetime({ offset: true, precision: 6 }).optional() }),
    }),
  ),
});

/**
 * Waits until every node has written to the restored cluster itself. What etcd brought back says that all nodes are
 * Ready, as they were when the backup was taken; only a lease that was renewed since is a kubelet that lives.
 * @param wiped when no kubelet was left
 */
export async function nodesAwake(run: CastleRun, access: Secret, wiped: Date): Promise<void> {
  const { castle, report, signal, patience } = run;
  const api = new KubernetesApi(access);
  let waiting: readonly string[] = castle.nodes.map(({ name }) => name);
  const total = castle.nodes.length;
  try {
    await runStep(report, { id: "awake", title: "Every node at work again" }, async () => {
      await poll(
        async () => {
          const renewed = await renewals(api, signal);
          waiting = castle.nodes
            .map(({ name }) => name)
            .filter((name) => !((renewed.get(name) ?? 0) > wiped.getTime()));
          const done = total - waiting.length;
          report({ type: "progress", id: "awake", message: `${done} of ${total}`, done, total });
          return waiting.length === 0 ? true : undefined;
        },
        {
          every: 500,
          within: patience,
          signal,
          onTimeout: () =>
            new CastleError("lifecycle/timed-out", {
              message: `${waiting.join(", ")} did not come back to the restored cluster within ${patience / 1000} s`,
              hint: "castle health",
            }),
        },
      );
      return { detail: `${total} nodes` };
    });
  } finally {
    api.close();
  }
}

async function renewals(api: KubernetesApi, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const { status, body } = await api.call({ path: LEASES, signal }).catch((error: unknown) => {
    if (error instanceof CastleError && error.code === "kubernetes/unreachable")
      return { status: 0, body: {} };
    throw error;
  });
  const leases = status === 200 ? leasesShape.safeParse(body).data : undefined;
  return new Map(
    (leases?.items ?? []).map(({ metadata, spec }) => [metadata.name, Date.parse(spec.renewTime ?? "") || 0]),
  );
}
