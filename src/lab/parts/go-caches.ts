import { readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../support/run.ts";

/** Go's caches of a build of the parts; never the user's own, since they grow to 12 GiB. */
export class GoCaches {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get build(): string {
    return join(this.root, "build");
  }

  get modules(): string {
    return join(this.root, "mod");
  }

  /** Where the compiler and the linker work; what lies there when none of them runs, killed ones left. */
  get temporary(): string {
    return join(this.root, "tmp");
  }

  async clearTemporary(): Promise<void> {
    await rm(this.temporary, { recursive: true, force: true });
  }

  /** Drops every module (`path@version`) that is not needed any more, one after the other. */
  async dropModules(needed: ReadonlySet<string>): Promise<void> {
    const escaped = new Set([...needed].map(escape));
    for (const module of await this.#unpacked()) if (!escaped.has(module)) await this.#dropModule(module);
  }

  /** What compiled packages take; the next build compiles again what it shares with earlier ones. */
  async dropBuild(): Promise<void> {
    await rm(this.build, { recursive: true, force: true });
  }

  async drop(): Promise<void> {
    await remove(this.root);
  }

  /** `path@version` of every module that is unpacked, as the cache spells it. */
  async #unpacked(below = ""): Promise<string[]> {
    const entries = await readdir(join(this.modules, below), { withFileTypes: true }).catch(() => []);
    const found: string[] = [];
    for (const entry of entries) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory() || path === "cache") continue;
      if (entry.name.includes("@")) found.push(path);
      else found.push(...(await this.#unpacked(path)));
    }
    return found;
  }

  async #dropModule(module: string): Promise<void> {
    const at = module.lastIndexOf("@");
    const [path, version] = [module.slice(0, at), module.slice(at + 1)];
    const download = join(this.modules, "cache", "download", path, "@v", version);
    // First: Go takes the folder for one that was not unpacked whole, should castle be killed before it is gone.
    // A rename, because a disk without room takes no new file.
    await rename(`${download}.zip`, `${download}.partial`).catch(() => writeFile(`${download}.partial`, ""));
    await remove(join(this.modules, module));
    await rm(`${download}.partial`, { force: true });
  }
}

/** Modules that these Go modules' sums name with their content: `path@version`, a superset of what a build reads. */
export async function neededModules(modules: string, groups: Iterable<string>): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  for (const group of groups) {
    // A module without dependencies has no sums.
    const sums = await readFile(join(modules, group, "go.sum"), "utf8").catch(() => "");
    for (const line of sums.split("\n")) {
      const [path, version] = line.split(" ");
      if (path === undefined || version === undefined || version.endsWith("/go.mod")) continue;
      needed.add(`${path}@${version}`);
    }
  }
  return needed;
}

/** Upper case as the module cache spells it on file systems that do not tell it apart. */
function escape(module: string): string {
  return module.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

async function remove(folder: string): Promise<void> {
  // The module cache is read-only on purpose, which stops rm for anybody but root.
  await run("chmod", ["-R", "u+w", folder], { accept: [1], timeout: 300_000 });
  await rm(folder, { recursive: true, force: true });
}
