import { allPartSets } from "../src/lab/parts/part-sets.ts";
import type { PartsStore } from "../src/lab/parts/store.ts";
import { readLayoutImage } from "../src/image/layout-image.ts";

/** GiB of all images that a castle with everything pulls, each blob once, as the lab's registry keeps them. */
export async function imageSize(store: PartsStore): Promise<number> {
  const sizes = new Map<string, number>();
  for (const { layout } of await store.images(allPartSets)) {
    const { layers, config } = await readLayoutImage(layout);
    for (const { digest, size } of [...layers, config]) sizes.set(digest, size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0) / 1024 ** 3;
}
