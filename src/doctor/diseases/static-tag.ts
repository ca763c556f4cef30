import { isStaticTag } from "../../image/static-tag.ts";
import { platformImages } from "../../platform/surroundings.ts";
import type { Disease } from "../disease.ts";
import { podTemplates } from "../manifests/pods.ts";
import { editCommand } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

/** Where a lab serves castle's own images from: they come with castle's program, and nobody else pushes there. */
const LAB = "castle.local/";

/** A tag that moves: nobody can tell what runs, and nothing leads back to it. */
export const staticTag: Disease = {
  id: "static-tag",
  title: "An image is named by a tag that moves",
  reads: ["Deployment", "DaemonSet", "StatefulSet"],
  diagnose: (chart) => {
    const castle = chart.examination?.castle;
    // What castle itself names, it pushed.
    const own = new Set<string>(castle === undefined ? [] : Object.values(platformImages(castle)));
    return podTemplates(chart.manifests).flatMap(({ manifest, spec }) =>
      [...spec.initContainers, ...spec.containers].flatMap(({ name, image }) => {
        if (image === "" || image.includes("@") || image.startsWith(LAB)) return [];
        if (own.has(image)) return [];
        const tag = /:([^/:]+)$/.exec(image)?.[1];
        if (tag !== undefined && !isStaticTag(tag)) return [];
        return [
          {
            severity: "warning" as const,
            object: objectName(manifest),
            message: `container ${name} runs ${image}: ${tag === undefined ? "no tag means latest, and that" : `the tag ${tag}`} moves`,
            evidence: [`${manifest.origin}: image ${image}`],
            command: editCommand(chart, manifest),
            fix: "name a release: a version or a commit, best with its digest (NAME:TAG@sha256:…)",
          },
        ];
      }),
    );
  },
};
