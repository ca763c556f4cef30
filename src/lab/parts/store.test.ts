import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFile, mkdir, mkdtemp, readdir, rm, utimes, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StepEvent } from "../../journal/step.ts";
import { exportParts, importParts } from "./archive.ts";
import { ensureParts } from "./builder.ts";
import { partsCatalogue } from "./catalogue.ts";
import type { Part } from "./part.ts";
import { PartsStore } from "./store.ts";
import { identify } from "../../support/process-identity.ts";
import { withStoreLock } from "./store-lock.ts";

const execute = promisify(execFile);
let home: string;
/** One cache for all tests of this file: the standard library is compiled once. */
let caches: string;

beforeAll(async () => {
  caches = await mkdtemp(join(tmpdir(), "castle-parts-go-"));
});
afterAll(async () => {
  await rm(caches, { recursive: true, force: true });
});

const greeter: Part = {
  name: "greeter",
  version: "v1.0.0",
  set: "machines",
  purpose: "says hello",
  source: { kind: "go", group: "greeter", programs: { greeter: "." }, ldflags: "-X main.version=v1.0.0" },
  needs: [],
  seconds: 1,
  wanted: false,
};
const mirror: Part = {
  name: "mirror",
  version: "v1.0.0",
  set: "machines",
  purpose: "a folder made of it",
  source: { kind: "provider-mirror", address: "me/greeter", program: "greeter" },
  needs: ["greeter"],
  seconds: 1,
  wanted: true,
};

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "castle-parts-"));
  await mkdir(join(home, "modules/greeter"), { recursive: true });
  await writeFile(join(home, "modules/greeter/go.mod"), "module castle.local/greeter\n\ngo 1.20\n");
  await writeGreeter("hello");
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function writeGreeter(word: string): Promise<void> {
  const main = `package main\n\nvar version string\n\nfunc main() { println("${word}", version) }\n`;
  await writeFile(join(home, "modules/greeter/main.go"), main);
}

function open(root = "cache"): PartsStore {
  const options = { catalogue: [greeter, mirror], architecture: "amd64" } as const;
  return new PartsStore({ ...options, root: join(home, root), modules: join(home, "modules") });
}

async function ensure(store: PartsStore, events: StepEvent[] = []): Promise<string[]> {
  await ensureParts(store, ["mirror"], { report: (event) => events.push(event), caches, keepCaches: true });
  return events.flatMap((event) => (event.type === "finished" ? [event.id] : []));
}

async function greeting(store: PartsStore): Promise<string> {
  return (await execute(await store.resolve("greeter"))).stderr.trim();
}

describe("a build", () => {
  it("makes parts after their needs, once, and again what a changed source touches", {
    timeout: 120_000,
  }, async () => {
    await expect(open().resolve("greeter")).rejects.toMatchObject({
      code: "parts/missing",
      hint: "castle parts build",
    });
    expect(await ensure(open())).toEqual(["part-greeter", "part-mirror", "parts"]);
    expect(await greeting(open())).toBe("hello v1.0.0");
    expect(await ensure(open())).toEqual([]);
    await writeGreeter("good evening");
    expect(await ensure(open())).toEqual(["part-greeter", "part-mirror", "parts"]);
    expect(await greeting(open())).toBe("good evening v1.0.0");
  });

  it("tells what the compiler said, keeps nothing half-made, and goes on afterwards", {
    timeout: 120_000,
  }, async () => {
    await writeFile(join(home, "modules/greeter/main.go"), "package main\n\nfunc main() { nonsense() }\n");
    await expect(ensure(open())).rejects.toMatchObject({
      code: "parts/build-failed",
      message: expect.stringContaining("undefined: nonsense"),
    });
    expect(await readdir(join(home, "cache/staging"))).toEqual([]);
    await writeGreeter("hello");
    expect(await ensure(open())).toEqual(["part-greeter", "part-mirror", "parts"]);
  });

  it("says how much is left", { timeout: 120_000 }, async () => {
    const events: StepEvent[] = [];
    await ensure(open(), events);
    const done = events.flatMap((event) => (event.type === "progress" ? [[event.done, event.total]] : []));
    expect(done).toContainEqual([1, 2]);
    expect(done.at(-1)).toEqual([2, 2]);
  });
});

describe("the store", () => {
  it("finds a changed byte whatever the times say, and a build repairs it", {
    timeout: 120_000,
  }, async () => {
    await ensure(open());
    const file = await open().resolve("greeter");
    const { mtime, atime } = await stat(file);
    await appendFile(file, "x");
    await expect(open().resolve("greeter")).rejects.toMatchObject({ code: "parts/wrong-hash" });
    // The mirror holds the same file by a hard link, so both are broken and both are made again.
    expect(await ensure(open())).toEqual(["part-greeter", "part-mirror", "parts"]);

    const again = await open().resolve("greeter");
    const bytes = (await stat(again)).size;
    await execute("sh", [
      "-c",
      `printf X | dd of='${again}' bs=1 seek=${bytes - 1} conv=notrunc status=none`,
    ]);
    await utimes(again, atime, mtime);
    const full = await open().status({ full: true });
    expect(full.map(({ state }) => state)).toEqual(["broken", "broken"]);
  });

  it("takes files with other times as whole when their hash is right", { timeout: 120_000 }, async () => {
    await ensure(open());
    await utimes(await open().resolve("greeter"), 1, 1);
    expect(await greeting(open())).toBe("hello v1.0.0");
  });

  it("does not take what a killed build left for a part", { timeout: 120_000 }, async () => {
    const store = open();
    const staged = await store.objects.stage();
    await writeFile(join(staged, "greeter"), "half");
    // Killed between object and record: the object alone is not a part either.
    await mkdir(join(home, "cache/objects", "0".repeat(64)), { recursive: true });
    expect((await store.status()).map(({ state }) => state)).toEqual(["missing", "missing"]);
    await ensure(store);
    expect(await readdir(join(home, "cache/staging"))).toEqual([]);
    expect(await greeting(store)).toBe("hello v1.0.0");
  });

  it("names an unknown part", () => {
    expect(() => open().part("gretter")).toThrow(/no part gretter; the parts are greeter, mirror/);
  });
});

describe("the lock", () => {
  it("keeps a second builder out and is taken over from a dead one", async () => {
    const root = join(home, "cache");
    await withStoreLock(root, async () => {
      await expect(withStoreLock(root, async () => 1)).rejects.toMatchObject({ code: "parts/busy" });
    });
    const own = await identify(process.pid);
    const planted = (change: object) =>
      JSON.stringify({ process: { ...own, ...change }, host: hostname(), work: "parts", mark: "m" });
    // The number of a living process with another start time: the holder is dead, its number used again.
    await writeFile(join(root, "lock"), planted({ started: "12345678901234" }));
    expect(await withStoreLock(root, async () => 2)).toBe(2);
    await writeFile(join(root, "lock"), planted({ pid: 4_194_305 }));
    expect(await withStoreLock(root, async () => 3)).toBe(3);
    expect(await readdir(root)).toEqual([]);
  });
});

describe("an archive", () => {
  it.each(["parts.tar", "parts.tar.gz", "parts.tar.zst"])(
    "carries the parts to another machine as %s",
    { timeout: 120_000 },
    async (name) => {
      // More than any buffer on the way holds, and nothing that shrinks.
      await writeFile(join(home, "modules/greeter/noise.txt"), randomBytes(4 << 20));
      const embedded = [
        "package main",
        'import _ "embed"',
        "//go:embed noise.txt",
        "var Noise string",
        "func init() { if Noise == version { panic(Noise) } }",
      ];
      await writeFile(
        join(home, "modules/greeter/noise.go"),
        embedded.join("\n\n").replace("noise.txt\n\n", "noise.txt\n"),
      );
      await ensure(open());
      const file = join(home, name);
      await exportParts(open(), file);
      const other = open("other");
      expect(await importParts(other, file)).toEqual(["mirror"]);
      const program = "registry.opentofu.org/me/greeter/1.0.0/linux_amd64/greeter_v1.0.0";
      expect((await execute(join(await other.resolve("mirror"), program))).stderr).toBe("hello v1.0.0\n");
      // The piece is not wanted for itself, so it did not travel, and nothing has to be built.
      expect(await other.missing(["mirror"])).toEqual([]);
      expect(await readdir(join(home, "other/staging"))).toEqual([]);
    },
  );

  it("is refused when a byte was changed, when cut off, when of other pins", {
    timeout: 120_000,
  }, async () => {
    await ensure(open());
    const file = join(home, "parts.tar");
    await exportParts(open(), file);
    const size = (await stat(file)).size;
    await execute("sh", ["-c", `head -c ${Math.floor(size / 2)} '${file}' > '${home}/cut.tar'`]);
    await expect(importParts(open("cut"), join(home, "cut.tar"))).rejects.toMatchObject({
      code: "parts/archive-invalid",
    });
    await execute("sh", ["-c", `sed 's/ELF/FLE/' '${file}' > '${home}/changed.tar'`]);
    await expect(importParts(open("changed"), join(home, "changed.tar"))).rejects.toMatchObject({
      code: "parts/archive-invalid",
      message: expect.stringContaining("has the hash"),
    });
    expect((await open("changed").status()).map(({ state }) => state)).toEqual(["missing", "missing"]);
    await writeGreeter("other pins");
    await expect(importParts(open("pins"), file)).rejects.toMatchObject({ code: "parts/archive-invalid" });
  });
});

describe("the catalogue", () => {
  it("lists every part after its needs, each once, and has a folder for each group", async () => {
    const seen = new Set<string>();
    for (const { name, needs } of partsCatalogue) {
      expect(seen).not.toContain(name);
      for (const need of needs) expect(seen).toContain(need);
      seen.add(name);
    }
    const modules = new URL("../../../parts", import.meta.url).pathname;
    const store = new PartsStore({
      catalogue: partsCatalogue,
      architecture: "amd64",
      root: join(home, "cache"),
      modules,
    });
    expect(await store.key("node-rootfs")).toMatch(/^[0-9a-f]{64}$/);
    const everything = store.wanted(["machines", "platform", "monitoring"]);
    const built = new Set((await store.missing(everything)).map(({ name }) => name));
    const names = partsCatalogue.map(({ name }) => name);
    // The one that only tests use is in no castle's sets.
    expect(names.filter((name) => !built.has(name))).toEqual(["promtool"]);
  });

  it("makes nothing of the platform for a castle that ends at its nodes", async () => {
    const store = new PartsStore({
      catalogue: partsCatalogue,
      architecture: "amd64",
      root: join(home, "cache"),
      modules: new URL("../../../parts", import.meta.url).pathname,
    });
    const sets = (await store.missing(store.wanted())).map(({ set }) => set);
    expect(new Set(sets)).toEqual(new Set(["machines"]));
    const platform = (await store.missing(store.wanted(["platform"]))).map(({ name }) => name);
    expect(platform).toContain("image-traefik");
    expect(platform).toContain("traefik");
    expect(platform).not.toContain("image-prometheus");
    expect(platform).not.toContain("kubelet");
  });
});
