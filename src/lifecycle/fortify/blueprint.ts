import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { GeneratedFolder } from "../../gitops/generated-folder.ts";
import { componentNames, platformComponents } from "../../platform/components.ts";
import type { ComponentName } from "../../platform/component.ts";
import type { Manifest } from "../../platform/manifest.ts";
import { renderOverrides } from "../../platform/overrides.ts";
import { renderComponents } from "../../platform/render.ts";
import { SourceObjects } from "../../platform/sources.ts";
import type { Surroundings } from "../../platform/surroundings.ts";
import { generatedFolder } from "../../platform/synchronisation.ts";
import type { Castle } from "../../spec/castle.ts";
import type { PlatformGround } from "../ground/ground.ts";
import { GIT_SECRET } from "./git-access.ts";
import { keptReleases } from "./kept-releases.ts";
import type { PlatformMaterials } from "./materials.ts";

/** The platform as this spec wants it on this ground. */
export interface Blueprint {
  /** For the repository. */
  readonly folder: GeneratedFolder;
  /**
   * For the cluster, before Flux runs: Flux itself, and every component's definitions, which others would wait for.
   * Flux takes all of it over.
   */
  readonly flux: readonly Manifest[];
  /** In the order in which they are set up. */
  readonly components: readonly ComponentName[];
}

/** @param hasCredentials whether Flux needs any to read the repository */
export async function drawBlueprint(
  castle: Castle,
  manifests: PlatformMaterials["manifests"],
  ground: PlatformGround,
  hasCredentials: boolean,
): Promise<Blueprint> {
  const { gitops } = castle;
  if (gitops === undefined) throw new Error("a castle without gitops has no platform");
  const components = platformComponents(
    castle,
    new SourceObjects(await readSources(manifests)),
    surroundingsOf(ground, hasCredentials),
  );
  const first = components.flatMap(({ name, files }) =>
    Object.values(files)
      .flat()
      .filter(({ kind }) => name === "flux-system" || kind === "CustomResourceDefinition"),
  );
  return {
    folder: {
      path: generatedFolder(gitops),
      files: encoded(renderComponents(components)),
      kept: keptReleases(castle),
      scaffolds: encoded(renderOverrides(castle)),
    },
    flux: first,
    components: componentNames(castle),
  };
}

function surroundingsOf({ repository, acme }: PlatformGround, hasCredentials: boolean): Surroundings {
  return {
    repository: { url: repository.inside, ...(hasCredentials ? { secret: GIT_SECRET } : {}) },
    ...(acme === undefined ? {} : { acme: { directory: acme.directory, caBundle: acme.certificate } }),
  };
}

async function readSources(manifests: PlatformMaterials["manifests"]): Promise<Record<string, string>> {
  const sources: Record<string, string> = {};
  for (const [name, root] of Object.entries(manifests)) {
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) sources[`${name}/${relative(root, path)}`] = await readFile(path, "utf8");
    }
  }
  return sources;
}

function encoded(texts: ReadonlyMap<string, string>): ReadonlyMap<string, Uint8Array> {
  return new Map([...texts].map(([path, text]) => [path, Buffer.from(text)]));
}
