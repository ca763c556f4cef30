import { join } from "node:path";
import type { SourceFacts } from "../release.ts";

/** Folders of one build, gone after it. */
export interface BuildFolders {
  /** The exported commit. */
  readonly tree: string;
  /** Where the pages go: empty. */
  readonly output: string;
  /** HOME and TMPDIR of the site's program: what a user's settings or an earlier build left must not matter. */
  readonly home: string;
}

export function buildFolders(work: string): BuildFolders {
  return { tree: join(work, "tree"), output: join(work, "output"), home: join(work, "home") };
}

/**
 * All that a site's program sees of the environment: where programs are, and facts that follow from the commit. The
 * same commit sees the same on every machine.
 */
export function buildEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  source: Pick<SourceFacts, "committedAt">,
  home: string,
): Record<string, string> {
  return {
    PATH: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: home,
    TMPDIR: home,
    CI: "true",
    LANG: "C",
    LC_ALL: "C",
    TZ: "UTC",
    SOURCE_DATE_EPOCH: String(Date.parse(source.committedAt) / 1000),
    // Modules come from the commit (vendored, or replaced by a folder), never from the network.
    GOPROXY: "off",
    GOFLAGS: "-mod=mod",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_OPTIONAL_LOCKS: "0",
  };
}
