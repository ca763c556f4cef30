import { alternating, raiseOnce } from "./alternating.ts";
import { PLATFORM_SPEC, WATCHED_SPEC } from "./castle-raise.ts";
import { imageSize } from "./image-size.ts";
import type { Section } from "./section.ts";

/** How long a site over HTTPS with a valid certificate takes from nothing, against five Ready nodes by hand. */
export const platformSection: Section = {
  name: "platform",
  title: "A site over HTTPS with a valid certificate",
  measure: async (bench) => {
    const { product, byHand } = await alternating(bench, PLATFORM_SPEC);
    const watched = await raiseOnce(bench, WATCHED_SPEC);
    return [
      {
        what: "page over HTTPS, against five Ready nodes by hand",
        unit: "s",
        values: product.map(({ pages }) => pages ?? Number.NaN),
        byHand: byHand.map(({ ready }) => ready),
        wanted: "at most 2.2 times, aim 100 s",
      },
      {
        what: "memory of the machines",
        unit: "GiB",
        values: product.map(({ memory }) => memory),
        wanted: "at most 6 GiB",
      },
      {
        what: "the same with monitoring",
        unit: "GiB",
        values: [watched.memory],
        wanted: "at most 6 GiB",
      },
      {
        what: "all images, as the registry keeps them",
        unit: "GiB",
        values: [await imageSize(bench.store)],
        wanted: "at most 1.2 GiB",
      },
    ];
  },
};
