import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { KubernetesApi } from "./api.ts";
import { waitForCondition } from "./conditions.ts";
import { type KubernetesObject, objectName } from "./object.ts";
import { Resources } from "./resources.ts";

/** Who castle is among those that write fields of an object. */
const FIELD_MANAGER = "castle";

export interface ApplyOptions {
  /** Only asks the server what it would do; definitions are then not waited for. */
  readonly dryRun?: boolean;
  /**
   * Takes the fields of these objects over from whoever else wrote them. Without it such a field is an error: only
   * for objects that are castle's own from the beginning.
   */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

export interface Applied {
  readonly object: KubernetesObject;
  readonly warnings: readonly string[];
}

/** Milliseconds that a new definition may take until its objects are understood. */
const ESTABLISHED_WITHIN = 20_000;

const statusShape = z.object({ message: z.string(), reason: z.string().optional() });

/**
 * Applies the objects, definitions and namespaces before what needs them. Fields that castle applied earlier and does
 * not name any more go away; fields of others stay.
 * @throws CastleError kubernetes/conflict, kubernetes/rejected, kubernetes/unknown-kind, kubernetes/unreachable
 */
export async function applyObjects(
  api: KubernetesApi,
  objects: readonly KubernetesObject[],
  options: ApplyOptions = {},
): Promise<readonly Applied[]> {
  const resources = new Resources(api);
  const applied: Applied[] = [];
  for (const wave of waves(objects)) {
    applied.push(...(await Promise.all(wave.map((object) => applyOne(api, resources, { object, options })))));
    if (options.dryRun === true) continue;
    await Promise.all(
      wave
        .filter(({ kind }) => kind === "CustomResourceDefinition")
        .map((object) =>
          waitForCondition(api, object, {
            condition: "Established",
            within: ESTABLISHED_WITHIN,
            signal: options.signal,
          }),
        ),
    );
  }
  return applied;
}

/** Each wave needs the ones before it: what others are made of, where they live, who they run as, and the rest. */
function waves(objects: readonly KubernetesObject[]): readonly (readonly KubernetesObject[])[] {
  const rank = ({ kind }: KubernetesObject) => ORDER[kind] ?? LAST;
  return Array.from({ length: LAST + 1 }, (_, wave) => objects.filter((object) => rank(object) === wave));
}

const ORDER: Readonly<Record<string, number>> = {
  CustomResourceDefinition: 0,
  Namespace: 0,
  // A role may be bound only by who sees it, and an account is refused until it exists.
  ClusterRole: 1,
  Role: 1,
  ServiceAccount: 1,
  Secret: 1,
  ConfigMap: 1,
};
const LAST = 2;

interface One {
  readonly object: KubernetesObject;
  readonly options: ApplyOptions;
}

async function applyOne(
  api: KubernetesApi,
  resources: Resources,
  { object, options: { dryRun, force, signal } }: One,
): Promise<Applied> {
  const query = new URLSearchParams({
    fieldManager: FIELD_MANAGER,
    fieldValidation: "Strict",
    force: String(force ?? false),
    ...(dryRun === true ? { dryRun: "All" } : {}),
  });
  const answer = await api.call({
    method: "PATCH",
    path: `${await resources.path(object, signal)}?${query.toString()}`,
    body: object,
    contentType: "application/apply-patch+yaml",
    signal,
  });
  if (answer.status < 300) return { object, warnings: answer.warnings };
  const said = statusShape.safeParse(answer.body).data?.message ?? `status ${answer.status}`;
  if (answer.status === 409) {
    throw new CastleError("kubernetes/conflict", {
      message: `${objectName(object)} has fields that somebody else wrote: ${said}`,
      hint: "what Flux applies is changed in Git, never by castle",
      details: { object: objectName(object) },
    });
  }
  if (answer.status === 429 || answer.status >= 500) {
    throw new CastleError("kubernetes/unreachable", {
      message: `The Kubernetes API cannot take ${objectName(object)} now: ${said}`,
      hint: "castle status shows which machines are on",
    });
  }
  throw new CastleError("kubernetes/rejected", {
    message: `The Kubernetes API refuses ${objectName(object)}: ${said}`,
    details: { object: objectName(object), status: answer.status },
  });
}
