import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { exists } from "../../support/exists.ts";
import { run } from "../../support/run.ts";
import type { SourceFacts } from "../release.ts";
import type { BuildFolders } from "./build-environment.ts";
import { runSiteProgram } from "./site-program.ts";
import { maySetUnpublished, refuseUnpublished } from "./unpublished-pages.ts";
import { noAnswer } from "../../errors/failure.ts";

export interface HugoBuild {
  readonly program: string;
  readonly version: string;
  readonly source: SourceFacts;
  readonly folders: BuildFolders;
  readonly env: Readonly<Record<string, string>>;
  /** Where scaled pictures of earlier builds are kept. */
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Builds the pages with the clock at the commit's time: `now`, and what is a post of the future, follow from the
 * commit. A warning is an error, and nothing is asked of the network.
 * @throws CastleError build/failed with file and line, build/unpublished-page, build/timed-out
 */
export async function buildWithHugo(build: HugoBuild): Promise<void> {
  const { program, source, folders, signal } = build;
  const env = { ...build.env, ...(await ownSettings(build)) };
  const site = ["--source", folders.tree, "--clock", source.committedAt];
  const tool = { file: program, tree: folders.tree, env, signal };
  const ask = (...args: string[]) => runSiteProgram({ ...tool, args: [...args, ...site] });
  // Hugo takes as long to start for its settings as for a few hundred pages: only where they may matter, beside the build.
  const settings = (await maySetUnpublished(folders.tree)) ? ask("config", "--format", "json") : undefined;
  settings?.catch(() => undefined);
  await runSiteProgram({
    ...tool,
    args: [...site, "--destination", folders.output, "--minify", "--panicOnWarning", "--noBuildLock"],
  });
  if (settings !== undefined) await refuseUnpublished(folders.output, await settings, ask);
}

async function ownSettings({ folders, cache, version }: HugoBuild): Promise<Record<string, string>> {
  return {
    HUGO_CACHEDIR: join(folders.home, "cache"),
    // Content of the network is not content of the commit.
    HUGO_SECURITY_HTTP_URLS: "none",
    // Pictures are known by content and filter. Those that the site's author committed come first.
    ...((await exists(join(folders.tree, "resources")))
      ? {}
      : { HUGO_RESOURCEDIR: join(cache, "hugo", version) }),
  };
}

/**
 * The Hugo of exactly that version: on PATH, or castle's own.
 * @param part castle's own; undefined: it is of another version
 * @throws CastleError build/hugo-missing
 */
export async function findHugo(
  version: string,
  { PATH }: Readonly<Record<string, string | undefined>>,
  part: (version: string) => Promise<string | undefined>,
): Promise<string> {
  const found = await hugoVersion("hugo", PATH);
  if (found === version) return "hugo";
  const own = await part(version);
  if (own !== undefined) return own;
  throw new CastleError("build/hugo-missing", {
    message: `castle.lock names Hugo ${version}; ${found === undefined ? "there is none on PATH" : `PATH has ${found}`}, and castle brings another. Nothing was built or pushed`,
    hint: `put Hugo ${version} on PATH, or lock the one that is here: castle publish --lock`,
    details: { wanted: version, found },
  });
}

/** "hugo v0.165.0-…+extended linux/amd64 …" → 0.165.0; undefined: no Hugo there. */
export async function hugoVersion(program: string, path: string | undefined): Promise<string | undefined> {
  const asked = run(program, ["version"], { env: { PATH: path ?? "" }, timeout: 10_000 });
  const said = await asked.catch(noAnswer);
  return /^hugo v(?<version>\d+\.\d+\.\d+)\b/.exec(said?.stdout ?? "")?.groups?.["version"];
}
