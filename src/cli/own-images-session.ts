import { parseImageName } from "../image/image-name.ts";
import { RegistryClient } from "../image/registry-client.ts";
import type { ImageRecipe } from "../lab/parts/image-recipe.ts";
import { partSets } from "../lab/parts/part-sets.ts";
import type { PartsStore } from "../lab/parts/store.ts";
import type { Ground } from "../lifecycle/ground/ground.ts";
import type { OwnImages } from "../lifecycle/own-images.ts";
import type { Castle } from "../spec/castle.ts";
import { ownImage } from "../spec/defaults.ts";
import type { Context } from "./context.ts";
import { imageRegistry } from "./registry-session.ts";

/** Where the lab's registry answers, whatever host an image names. */
const LAB_REGISTRY_PORT = 5000;

/**
 * The images that castle made itself and this castle needs, for the registry that its spec names.
 * @throws CastleError parts/missing, image/credentials
 */
export async function ownImages(
  context: Context,
  castle: Castle,
  ground: Ground,
  parts: PartsStore,
): Promise<OwnImages | undefined> {
  const { registry } = castle;
  if (registry === undefined) return undefined;
  const sets = partSets(castle);
  const layouts = await Promise.all(
    parts.catalogue.flatMap(({ name, set, source }) => {
      if (source.kind !== "image" || source.recipe.own !== true || !sets.includes(set)) return [];
      return [parts.resolve(name).then((layout) => [fullName(registry, source.recipe), layout] as const)];
    }),
  );
  return { registry: await client(context, castle, ground, registry), layouts: new Map(layouts) };
}

/** `castle.local/acme` in the registry of the spec. */
function fullName(registry: string, { repository, tags: [tag = ""] }: ImageRecipe): string {
  return ownImage(registry, repository.slice(repository.indexOf("/") + 1), tag);
}

async function client(
  context: Context,
  { network }: Castle,
  ground: Ground,
  registry: string,
): Promise<RegistryClient> {
  if (ground.kind === "rack") return imageRegistry(context, parseImageName(`${registry}/acme`));
  const { host, port } = await ground.reach(network.gateway, LAB_REGISTRY_PORT);
  return new RegistryClient({ endpoint: `http://${host}:${port}`, signal: context.signal });
}
