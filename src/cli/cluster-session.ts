import { KubernetesApi } from "../kubernetes/api.ts";
import type { SecretStore } from "../secrets/store.ts";
import { accessFile } from "./access-session.ts";
import type { Context } from "./context.ts";
import type { SpecFile } from "./spec-file.ts";

/** Opens the castle's Kubernetes API with the kubeconfig from the store. @throws CastleError lifecycle/not-raised, … */
export async function withCluster<T>(
  context: Context,
  spec: SpecFile,
  store: SecretStore,
  work: (api: KubernetesApi) => Promise<T>,
): Promise<T> {
  const { content } = await accessFile(context, spec, { kind: "kubeconfig", store });
  const api = new KubernetesApi(content);
  try {
    return await work(api);
  } finally {
    api.close();
  }
}
