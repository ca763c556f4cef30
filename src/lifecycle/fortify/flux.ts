import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { applyObjects } from "../../kubernetes/apply.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { Resources } from "../../kubernetes/resources.ts";
import type { CastleRun } from "../castle-run.ts";
import { onYoungApi } from "./young-api.ts";

interface Bootstrap {
  /** Flux' own objects. */
  readonly flux: readonly KubernetesObject[];
  /** castle's own, applied every time. */
  readonly secrets: readonly KubernetesObject[];
}

/**
 * Installs Flux where it is not, and points it at the repository. What is there stays as it is: Flux applies its own
 * folder to itself. A repository that moved is the one thing that Git cannot tell it.
 * @returns how many objects were missing
 * @throws CastleError kubernetes/…
 */
export async function ensureFlux(
  run: Pick<CastleRun, "signal" | "patience">,
  api: KubernetesApi,
  bootstrap: Bootstrap,
): Promise<number> {
  let installed = 0;
  await onYoungApi(run, async () => {
    installed += await install(api, bootstrap, run.signal);
  });
  return installed;
}

async function install(
  api: KubernetesApi,
  { flux, secrets }: Bootstrap,
  signal: AbortSignal,
): Promise<number> {
  const resources = new Resources(api);
  const standing = await Promise.all(flux.map((object) => read(api, resources, object, signal)));
  const missing = flux.filter((_, index) => standing[index] === undefined);
  const moved = flux.filter((object, index) => isMoved(object, standing[index]));
  await applyObjects(api, [...missing, ...moved, ...secrets], { force: true, signal });
  return missing.length;
}

async function read(
  api: KubernetesApi,
  resources: Resources,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    const { status, body } = await api.call({ path: await resources.path(object, signal), signal });
    return status === 200 ? body : undefined;
  } catch (error) {
    if (error instanceof CastleError && error.code === "kubernetes/unknown-kind") return undefined;
    throw error;
  }
}

const sourceShape = z.object({
  kind: z.literal("GitRepository"),
  spec: z.object({
    url: z.string(),
    ref: z.object({ branch: z.string().optional() }).optional(),
    secretRef: z.object({ name: z.string() }).optional(),
  }),
});

function isMoved(wanted: KubernetesObject, standing: unknown): boolean {
  const [one, other] = [wanted, standing].map((object) => sourceShape.safeParse(object).data?.spec);
  if (one === undefined || other === undefined) return false;
  return (
    one.url !== other.url ||
    one.ref?.branch !== other.ref?.branch ||
    one.secretRef?.name !== other.secretRef?.name
  );
}
