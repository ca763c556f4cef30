import { parseImageReference } from "../image/image-reference.ts";
import { pushImage } from "../image/image-push.ts";
import { readLayoutImage } from "../image/layout-image.ts";
import type { RegistryClient } from "../image/registry-client.ts";

/** Images that castle made itself, and the registry of the spec that the nodes pull them from. */
export interface OwnImages {
  readonly registry: RegistryClient;
  /** Folder of its OCI layout, by its full name: `registry.lan/tazlab/acme:v1`. */
  readonly layouts: ReadonlyMap<string, string>;
}

/**
 * Puts castle's own images into the registry of the spec, where it has not the very same.
 * @throws CastleError image/registry-refused, image/registry-unreachable
 */
export async function pushOwnImages({ registry, layouts }: OwnImages): Promise<{ detail: string }> {
  const pushed = await Promise.all(
    [...layouts].map(async ([name, layout]) => {
      const { repository, reference } = parseImageReference(name);
      const { manifest } = await readLayoutImage(layout);
      if ((await registry.digest(repository, reference)) === manifest.descriptor.digest) return [];
      await pushImage(registry, layout, { repository, tag: reference });
      return [`${repository}:${reference}`];
    }),
  );
  const names = pushed.flat();
  return { detail: names.length === 0 ? "all there" : `pushed ${names.join(", ")}` };
}
