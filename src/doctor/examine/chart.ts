import { z } from "zod";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { Chart } from "../disease.ts";
import { manifestOf } from "../manifests/manifest.ts";

/** What a chart is read from in a running cluster; a kind that the cluster does not know has no objects. */
const KINDS = [
  ["v1", "Service", "/api/v1/services"],
  ["apps/v1", "Deployment", "/apis/apps/v1/deployments"],
  ["apps/v1", "DaemonSet", "/apis/apps/v1/daemonsets"],
  ["apps/v1", "StatefulSet", "/apis/apps/v1/statefulsets"],
  ["networking.k8s.io/v1", "Ingress", "/apis/networking.k8s.io/v1/ingresses"],
  ["traefik.io/v1alpha1", "IngressRoute", "/apis/traefik.io/v1alpha1/ingressroutes"],
] as const;

/** Objects in a list carry neither kind nor version. */
const List = z.object({ items: z.array(z.record(z.string(), z.unknown())) });

/** The objects of a running cluster that diseases are found in. @throws CastleError kubernetes/… */
export async function readCluster(api: KubernetesApi, signal: AbortSignal): Promise<Chart> {
  const lists = await Promise.all(
    KINDS.map(async ([apiVersion, kind, path]) => {
      const { body } = await api.call({ path, signal });
      const items = List.safeParse(body).data?.items ?? [];
      return items.map((item) => manifestOf({ ...item, apiVersion, kind }, "cluster"));
    }),
  );
  return { manifests: lists.flat().filter((one) => one !== undefined), others: [] };
}
