import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { buildEnvironment, buildFolders } from "./build/build-environment.ts";
import { buildWithHugo, findHugo } from "./build/hugo.ts";
import { type OutputTree, readOutput } from "./build/output-tree.ts";
import { REPOSITORY_FILES } from "./build/repository-files.ts";
import { runSiteProgram } from "./build/site-program.ts";
import { withGzip } from "./pack/gzip-pool.ts";
import { PagePacker } from "./pack/page-packer.ts";
import { isPage, packRelease } from "./pack/pack-release.ts";
import type { PackedRelease, SiteLock, SourceFacts } from "./release.ts";
import { exportCommit } from "./source/export-commit.ts";

export interface ReleaseOptions {
  /** The site's name. */
  readonly site: string;
  readonly source: SourceFacts;
  readonly lock: SiteLock;
  /** OCI layout of the lock's base. */
  readonly base: string;
  /** An empty or missing folder; the caller removes it when the release is pushed. */
  readonly work: string;
  /** Where layers and scaled pictures of earlier releases are kept; may be lost at any time. */
  readonly cache: string;
  /** The caller's: the site's program sees only PATH of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Castle's own Hugo, if it is of that version. */
  readonly hugo: (version: string) => Promise<string | undefined>;
  /** Pages of the release that is live, from its annotation. */
  readonly livePages?: number | undefined;
  /** The site is meant to have less than half of them. */
  readonly allowFewerPages?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * From a commit to a packed image on disk. Nothing leaves the machine.
 * @throws CastleError source/*, build/*
 */
export async function buildRelease(options: ReleaseOptions): Promise<PackedRelease> {
  const { source, work } = options;
  const start = performance.now();
  const folders = buildFolders(work);
  for (const folder of [folders.output, folders.home]) await mkdir(folder, { recursive: true });
  await exportCommit(source, folders.tree, options);
  const pages = await makePages(options);
  return withGzip(async (gzip) => {
    const packer = new PagePacker(gzip);
    const output = readOutput({
      folder: pages,
      onFile: (path, content) => packer.begin(path, content),
      machinePaths: [work],
      notSecret: options.lock.notSecret ?? [],
      ...(options.lock.build.kind === "none" ? { leftOut: REPOSITORY_FILES } : {}),
    });
    checkPages(output, options);
    const built = performance.now();
    const packed = await packRelease({ ...options, output, packer, layout: join(work, "image") });
    const times = { build: Math.round(built - start), pack: Math.round(performance.now() - built) };
    return { ...packed, times };
  });
}

/** @returns the folder that the pages lie in */
async function makePages(options: ReleaseOptions): Promise<string> {
  const { source, work, environment, lock, signal } = options;
  const folders = buildFolders(work);
  const env = buildEnvironment(environment, source, folders.home);
  const { build, hugo: version = "" } = lock;
  if (build.kind === "hugo") {
    const program = await findHugo(version, environment, options.hugo);
    await buildWithHugo({ program, version, source, folders, env, cache: options.cache, signal });
    return folders.output;
  }
  if (build.kind === "command") {
    const [file = "", ...args] = build.command;
    await runSiteProgram({ file, args, tree: folders.tree, env, signal });
  }
  return join(folders.tree, build.output);
}

/** A site that lost its pages was built wrong far more often than it was meant. */
function checkPages({ files, folder }: OutputTree, options: ReleaseOptions): void {
  const { lock, livePages = 0, allowFewerPages } = options;
  const pages = files.filter(({ path }) => isPage(path)).length;
  const where = lock.build.kind === "hugo" ? "" : ` in ${lock.build.output}`;
  if (pages === 0) {
    throw new CastleError("build/no-pages", {
      message: `the site's build left no page (*.html)${where}; nothing was pushed, what is live stays live`,
      hint: "look whether castle.lock names the right build and folder",
      details: { files: files.length, folder },
    });
  }
  if (pages * 2 < livePages && allowFewerPages !== true) {
    throw new CastleError("build/pages-halved", {
      message: `the site would have ${pages} pages, and ${livePages} are live; nothing was pushed, what is live stays live`,
      hint: "if it is meant: castle publish --allow-fewer-pages",
      details: { pages, livePages },
    });
  }
}
