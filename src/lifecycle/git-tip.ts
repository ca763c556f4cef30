import { join } from "node:path";
import { findImage } from "../gitops/edit/image-edit.ts";
import { isSameImage } from "../image/image-name.ts";
import { generatedFolder } from "../platform/synchronisation.ts";
import { siteNamespace } from "../platform/site-names.ts";
import { platformImages } from "../platform/surroundings.ts";
import { referenceParts } from "../gitops/edit/reference-parts.ts";
import { CastleError } from "../errors/castle-error.ts";
import type { Castle } from "../spec/castle.ts";
import type { CastleRun } from "./castle-run.ts";
import { gitAccess } from "./fortify/git-access.ts";
import { openRepository } from "./fortify/publication.ts";

/** What the GitOps repository wants now. */
export interface GitTip {
  /** BRANCH@sha1:COMMIT, as Flux calls it; undefined: the repository is empty. */
  readonly revision: string | undefined;
  /** Which image each site's manifest names, as NAME:TAG@DIGEST, by the site's name. */
  readonly images: ReadonlyMap<string, string>;
}

type LookRun = Pick<CastleRun, "castle" | "home" | "ground" | "store" | "signal">;

/**
 * Looks at the tip of the repository through a copy of its own: an operation that works in castle's copy is not disturbed.
 * @throws CastleError gitops/…, lifecycle/not-raised
 */
export async function readGitTip(
  run: LookRun,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<GitTip> {
  const { castle, home } = run;
  const { gitops, sites = [] } = castle;
  if (gitops === undefined) throw new Error("a castle without gitops has no repository");
  const ground = await run.ground.platform();
  const access = await gitAccess(run, ground);
  const seen = { ...run, home: { ...home, gitops: join(home.folder, "gitops-seen") } };
  const repository = await openRepository(seen, environment, ground, access);
  const tip = await repository.fetchTip();
  const folder = `${generatedFolder(gitops)}/sites`;
  const entries = await repository.entries(tip, folder);
  const contents = await repository.contents(entries.map(({ id }) => id));
  const images = sites.flatMap(({ name, image }) => {
    const path = `${folder}/${siteNamespace(name)}.yaml`;
    const bytes = contents.get(entries.find((entry) => entry.path === path)?.id ?? "");
    const found = bytes === undefined ? undefined : imageIn(castle, { path, bytes }, image);
    return found === undefined ? [] : [[name, found] as const];
  });
  return {
    revision: tip.commit === undefined ? undefined : `${gitops.branch}@sha1:${tip.commit}`,
    images: new Map(images),
  };
}

/** The site's release, or the page from before the first; undefined: the file names neither. */
function imageIn(
  castle: Castle,
  file: { readonly path: string; readonly bytes: Uint8Array },
  image: string,
): string | undefined {
  const placeholder = referenceParts(platformImages(castle).placeholder).name;
  try {
    const { name, tag, digest } = findImage([file], {
      name: image,
      isOurs: (name) => isSameImage(name, image) || name === placeholder,
    });
    return `${name}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  } catch (error) {
    if (error instanceof CastleError) return undefined;
    throw error;
  }
}
