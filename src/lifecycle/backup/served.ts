import { z } from "zod";
import { REGISTRY, type Keys } from "../../backup/snapshot/history.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { KubernetesApi } from "../../kubernetes/api.ts";
import { poll } from "../../support/poll.ts";
import type { Secret } from "../../support/secret.ts";

/** What an API server serves of what its etcd holds. */
export interface Served {
  readonly kinds: number;
  readonly objects: number;
  /** Kinds that it does not list, with its answer: etcd has what it cannot read. */
  readonly refused: readonly string[];
  /** Keys of kinds that it lists and that it does not show. */
  readonly unseen: readonly string[];
}

const groupsShape = z.object({
  groups: z.array(z.object({ versions: z.array(z.object({ groupVersion: z.string() })) })),
});
const servicesShape = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        group: z.string().default(""),
        version: z.string().default(""),
        service: z
          .object({})
          .nullish()
          .transform((service) => service ?? undefined),
      }),
    }),
  ),
});
const resourcesShape = z.object({
  resources: z.array(z.object({ name: z.string(), verbs: z.array(z.string()) })),
});
const listShape = z.object({
  items: z
    .array(z.object({ metadata: z.object({ name: z.string(), namespace: z.string().optional() }) }))
    .nullable(),
});

/** Names without content; the server has read and decrypted each object all the same. */
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
/** Kinds whose place in etcd is not their own name. Source: k8s.io/kubernetes, pkg/registry. */
const PLACES: Readonly<Record<string, string>> = {
  nodes: "minions",
  services: "services/specs",
  endpoints: "services/endpoints",
  ingresses: "ingress",
};
/** Milliseconds in which a server that has just come up learns all that it serves. */
const YOUNG = 60_000;

interface Kind {
  readonly path: string;
  readonly group: string;
  readonly name: string;
}

/**
 * Lists every kind that the API knows and looks for each key in the lists. Whether it can is the test of the secrets:
 * without the key that Secrets are encrypted with, their list fails.
 */
export async function servedObjects(access: Secret, keys: Keys, signal: AbortSignal): Promise<Served> {
  const api = new KubernetesApi(access);
  try {
    const kinds = await kindsOf(api, signal);
    const refused: string[] = [];
    const unseen: string[] = [];
    let objects = 0;
    for (const kind of kinds) {
      const answer = await listed(api, kind, signal);
      if ("refusal" in answer) {
        refused.push(`${kind.path}: ${answer.refusal}`);
        continue;
      }
      objects += answer.names.size;
      unseen.push(...keysOf(kind, keys).filter((key) => !answer.names.has(key)));
    }
    return { kinds: kinds.length, objects, refused, unseen: unseen.toSorted() };
  } finally {
    api.close();
  }
}

async function kindsOf(api: KubernetesApi, signal: AbortSignal): Promise<readonly Kind[]> {
  const [groups, foreign] = await Promise.all([
    ask(api, "/apis", groupsShape, signal),
    ask(api, "/apis/apiregistration.k8s.io/v1/apiservices", servicesShape, signal),
  ]);
  // What another program serves, such as metrics, does not lie in etcd.
  const elsewhere = new Set(
    foreign.items.flatMap(({ spec: { service, group, version } }) =>
      service === undefined ? [] : [`${group}/${version}`],
    ),
  );
  // The first version is the preferred one; all show the same objects.
  const versions = groups.groups
    .flatMap(({ versions: [preferred] }) => preferred?.groupVersion ?? [])
    .filter((version) => !elsewhere.has(version));
  const kinds = await Promise.all(
    ["v1", ...versions].map(async (version) => {
      const [group = "", root] = version.includes("/")
        ? [version.split("/")[0], `/apis/${version}`]
        : ["", `/api/${version}`];
      const { resources } = await ask(api, root, resourcesShape, signal);
      return resources
        .filter(({ name, verbs }) => !name.includes("/") && verbs.includes("list"))
        .map(({ name }) => ({ path: `${root}/${name}`, group, name }));
    }),
  );
  return kinds.flat();
}

async function listed(
  api: KubernetesApi,
  kind: Kind,
  signal: AbortSignal,
): Promise<{ readonly names: ReadonlySet<string> } | { readonly refusal: string }> {
  const { status, body } = await api.call({ path: kind.path, accept: METADATA_ONLY, signal, within: 30_000 });
  const list = status === 200 ? listShape.safeParse(body).data : undefined;
  if (list === undefined) return { refusal: `status ${status}` };
  const found = (list.items ?? []).map(({ metadata: { name, namespace } }) =>
    namespace === undefined || namespace === "" ? name : `${namespace}/${name}`,
  );
  return { names: new Set(placesOf(kind).flatMap((place) => found.map((name) => `${place}${name}`))) };
}

function keysOf(kind: Kind, keys: Keys): readonly string[] {
  const places = placesOf(kind);
  return [...keys.keys()].filter((key) => places.some((place) => key.startsWith(place)));
}

/** Built-in kinds lie under their name alone, or as custom ones do under group and name. */
function placesOf({ group, name }: Kind): readonly string[] {
  const own = group === "" ? [] : [`${REGISTRY}${group}/${name}/`];
  const custom = group.includes(".") && !group.endsWith(".k8s.io");
  return custom ? own : [`${REGISTRY}${PLACES[name] ?? name}/`, ...own];
}

async function ask<T>(
  api: KubernetesApi,
  path: string,
  shape: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  let last = "";
  return poll(
    async () => {
      const { status, body } = await api.call({ path, signal });
      last = `status ${status}`;
      return status === 200 ? shape.parse(body) : undefined;
    },
    {
      every: 250,
      within: YOUNG,
      signal,
      onTimeout: () =>
        new CastleError("backup/unproven", {
          message: `The restored API does not tell what it serves: ${path}: ${last}`,
        }),
    },
  );
}
