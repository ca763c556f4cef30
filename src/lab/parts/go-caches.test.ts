import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exists } from "../../support/exists.ts";
import { makeRoom } from "./build-space.ts";
import { GoCaches, neededModules } from "./go-caches.ts";
import type { Part } from "./part.ts";

let home: string;
let caches: GoCaches;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "castle-go-caches-"));
  caches = new GoCaches(join(home, "go"));
  await write(join(home, "modules/left/go.sum"), [
    "github.com/Azure/sdk v1.2.0+incompatible h1:a=",
    "github.com/Azure/sdk v1.2.0+incompatible/go.mod h1:b=",
    "golang.org/x/sys v0.1.0/go.mod h1:c=",
    "golang.org/x/sys v0.2.0 h1:d=",
  ]);
  for (const module of MODULES) await unpack(module);
  await write(join(caches.build, "00/compiled-d"), ["x"]);
});
afterEach(() => rm(home, { recursive: true, force: true }));

const MODULES = [
  "github.com/!azure/sdk@v1.2.0+incompatible",
  "github.com/!azure/sdk/v2@v2.0.0",
  "golang.org/x/sys@v0.1.0",
  "golang.org/x/sys@v0.2.0",
];

async function write(file: string, lines: readonly string[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${lines.join("\n")}\n`);
}

/** As `go mod download` leaves a module: read-only, with its archive beside. */
async function unpack(module: string): Promise<void> {
  const folder = join(caches.modules, module);
  await write(join(folder, "deep/source.go"), ["package deep"]);
  await chmod(join(folder, "deep"), 0o555);
  await chmod(folder, 0o555);
  const [path = "", version = ""] = module.split("@");
  for (const ending of ["zip", "ziphash", "mod"]) {
    await write(join(caches.modules, "cache/download", path, "@v", `${version}.${ending}`), [module]);
  }
}

const unpacked = async () => {
  const found = await Promise.all(MODULES.map((module) => exists(join(caches.modules, module))));
  return MODULES.filter((_, index) => found[index]);
};

/** So much that no disk has room for it. */
const endless: Part = {
  name: "endless",
  version: "1",
  purpose: "takes more than there is",
  set: "machines",
  source: { kind: "go", group: "left", programs: { endless: "." } },
  needs: [],
  seconds: Number.MAX_SAFE_INTEGER,
  wanted: true,
};

describe("Go's caches", () => {
  it("lose, module by module, what no part that is left needs", async () => {
    await caches.dropModules(await neededModules(join(home, "modules"), ["left", "without-sums"]));
    expect(await unpacked()).toEqual([
      "github.com/!azure/sdk@v1.2.0+incompatible",
      "golang.org/x/sys@v0.2.0",
    ]);
    const versions = await readdir(join(caches.modules, "cache/download/golang.org/x/sys/@v"));
    expect(versions.sort()).toEqual([
      "v0.1.0.mod",
      "v0.1.0.ziphash",
      "v0.2.0.mod",
      "v0.2.0.zip",
      "v0.2.0.ziphash",
    ]);
    expect(await exists(caches.build)).toBe(true);
  });

  it("go as a whole where that is not enough, and not at all where the user keeps them", async () => {
    const site = { root: home, modules: join(home, "modules"), caches };
    expect(await makeRoom([], { ...site, keepCaches: false })).toBeLessThanOrEqual(0);
    expect(await makeRoom([endless], { ...site, keepCaches: true })).toBeGreaterThan(0);
    expect(await unpacked()).toEqual(MODULES);
    expect(await makeRoom([endless], { ...site, keepCaches: false })).toBeGreaterThan(0);
    expect(await exists(caches.root)).toBe(false);
  });
});
