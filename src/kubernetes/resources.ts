import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { KubernetesApi } from "./api.ts";
import { type KubernetesObject, objectName } from "./object.ts";

const listShape = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

type Resource = z.infer<typeof listShape>["resources"][number];

/** Where the API keeps objects of each kind; asked once a group. */
export class Resources {
  readonly #api: KubernetesApi;
  readonly #known = new Map<string, readonly Resource[]>();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** The object's path. @throws CastleError kubernetes/unknown-kind, kubernetes/unreachable */
  async path(object: KubernetesObject, signal?: AbortSignal): Promise<string> {
    const { name, namespaced } = await this.#resource(object, signal);
    const namespace = namespaced ? `/namespaces/${object.metadata.namespace ?? "default"}` : "";
    return `${root(object.apiVersion)}${namespace}/${name}/${object.metadata.name}`;
  }

  async #resource(object: KubernetesObject, signal: AbortSignal | undefined): Promise<Resource> {
    const { apiVersion, kind } = object;
    const known = this.#known.get(apiVersion) ?? [];
    const found = named(known, kind) ?? named(await this.#ask(apiVersion, signal), kind);
    if (found !== undefined) return found;
    throw new CastleError("kubernetes/unknown-kind", {
      message: `${objectName(object)}: the cluster knows no ${kind} of ${apiVersion}`,
      hint: "its CustomResourceDefinition comes first",
    });
  }

  async #ask(apiVersion: string, signal: AbortSignal | undefined): Promise<readonly Resource[]> {
    const answer = await this.#api.call({ path: root(apiVersion), signal });
    const resources = listShape.safeParse(answer.body).data?.resources ?? [];
    this.#known.set(apiVersion, resources);
    return resources;
  }
}

/** Subresources such as deployments/scale carry a kind as well. */
function named(resources: readonly Resource[], kind: string): Resource | undefined {
  return resources.find((resource) => resource.kind === kind && !resource.name.includes("/"));
}

function root(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
