import { chmod, copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../../support/run.ts";
import type { GoCaches } from "./go-caches.ts";
import type { PartSource } from "./part.ts";

export interface GoToolchainOptions {
  /** The folder `parts/` with the pinned modules. */
  readonly modules: string;
  readonly caches: GoCaches;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds that one program may take to download and build on a slow machine. */
const BUILD_DEADLINE = 45 * 60_000;

/** Builds from the pinned modules with caches of its own and nothing of the user's Go settings but the proxy. */
export class GoToolchain {
  readonly #options: GoToolchainOptions;

  constructor(options: GoToolchainOptions) {
    this.#options = options;
  }

  /** @throws CastleError command/failed with what the compiler said */
  async build(source: Extract<PartSource, { kind: "go" }>, folder: string): Promise<void> {
    const flags = [
      "-trimpath",
      "-ldflags",
      `-s -w${source.ldflags === undefined ? "" : ` ${source.ldflags}`}`,
    ];
    if (source.tags !== undefined) flags.push("-tags", source.tags);
    for (const [name, path] of Object.entries(source.programs)) {
      await this.#go(source.group, ["build", ...flags, "-o", join(folder, name), path], source.cgo === true);
    }
  }

  async copyFiles(source: Extract<PartSource, { kind: "module-files" }>, folder: string): Promise<void> {
    const modules = [...new Set(Object.values(source.files).map(({ module }) => module))];
    await this.#go(source.group, ["mod", "download", ...modules], false);
    for (const [target, { module, path }] of Object.entries(source.files)) {
      const home = await this.#go(source.group, ["list", "-m", "-f", "{{.Dir}}", module], false);
      await mkdir(dirname(join(folder, target)), { recursive: true });
      await copyFile(join(home.trim(), path), join(folder, target));
      await chmod(join(folder, target), 0o644);
    }
  }

  async #go(group: string, args: readonly string[], cgo: boolean): Promise<string> {
    const { modules, caches, signal } = this.#options;
    await mkdir(caches.temporary, { recursive: true });
    const { stdout } = await run("go", args, {
      cwd: join(modules, group),
      timeout: BUILD_DEADLINE,
      env: {
        CGO_ENABLED: cgo ? "1" : "0",
        GOCACHE: caches.build,
        GOFLAGS: "-mod=readonly -buildvcs=false",
        GOMODCACHE: caches.modules,
        GOTMPDIR: caches.temporary,
        GOTOOLCHAIN: "local",
        GOWORK: "off",
      },
      ...(signal === undefined ? {} : { signal }),
    });
    return stdout;
  }
}
