import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { writeFakeBase } from "../../../test/fixtures/site-base.ts";
import { blobFile, readLayoutImage } from "../../image/layout-image.ts";
import { readOutput } from "../build/output-tree.ts";
import type { PackedRelease, SiteLock, SourceFacts } from "../release.ts";
import { gzip } from "./gzip.ts";
import { PagePacker } from "./page-packer.ts";
import { packRelease } from "./pack-release.ts";
import { filesOfSbom } from "./sbom.ts";

// Git and tar are called many times, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const execute = promisify(execFile);
const COMMIT = "8c945ac0123456789abcdef0123456789abcdef0";
const source: SourceFacts = {
  folder: "/nowhere",
  commit: COMMIT,
  committedAt: "2026-01-02T03:04:05Z",
  subject: "A post",
  branch: "main",
  upstream: { remote: "origin", url: "https://git.example/blog.git", branch: "main" },
  bytes: 1000,
  warnings: [],
};

let home: string;
let lock: SiteLock;
let runs = 0;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "castle-pack-"));
  const digest = await writeFakeBase(join(home, "base"));
  lock = { layout: 1, base: `registry.lan/castle/nginx@${digest}`, build: { kind: "none", output: "." } };
});
afterEach(() => rm(home, { recursive: true, force: true }));

type Pages = Readonly<Record<string, string | Uint8Array>>;
type Packed = Omit<PackedRelease, "times">;

const PAGES: Pages = {
  "index.html": `<h1>Castle</h1>${"<p>quorum</p>".repeat(200)}`,
  "posts/a/index.html": "<h1>A</h1>",
  [`css/main.${"ab".repeat(32)}.css`]: "body{color:#123}".repeat(100),
  "pictures/tower.png": new Uint8Array(5000).map((_, index) => index % 251),
};

async function pack(pages: Pages, cache = "cache", of = source): Promise<Packed> {
  runs += 1;
  const folder = join(home, `pages-${runs}`);
  for (const [path, content] of Object.entries(pages)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return packFolder(folder, cache, of);
}

async function packFolder(folder: string, cache: string, of = source, early = true): Promise<Packed> {
  const packer = new PagePacker(async (content) => gzip(content));
  const output = readOutput({
    folder,
    machinePaths: [],
    ...(early ? { onFile: (path, content) => packer.begin(path, content) } : {}),
  });
  runs += 1;
  return packRelease({
    site: "blog",
    source: of,
    lock,
    base: join(home, "base"),
    output,
    layout: join(home, `layout-${runs}`),
    cache: join(home, cache),
    packer,
  });
}

/** Unpacks the layers with the system's own tar and gzip, as a container runtime would. */
async function unpacked(release: Packed): Promise<string> {
  runs += 1;
  const root = join(home, `root-${runs}`);
  await mkdir(root);
  for (const { digest } of release.layers) {
    await execute("tar", ["-x", "-p", "-f", blobFile(release.layout, digest), "-C", root]);
  }
  return root;
}

const line = (lines: readonly string[], path: string) => lines.find((text) => text.endsWith(path));

const layer = (release: Packed, kind: string) => {
  const found = release.layers.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`there is no layer of kind ${kind}`);
  return found;
};

async function listing(release: Packed, kind: string): Promise<string[]> {
  const blob = blobFile(release.layout, layer(release, kind).digest);
  const args = ["-tvzf", blob, "--numeric-owner", "--full-time", "--utc"];
  return (await execute("tar", args)).stdout.trim().split("\n");
}

describe("the image of a release", () => {
  it("has four layers, each with what belongs into it", async () => {
    const release = await pack(PAGES);
    expect(release.layers.map(({ kind }) => kind)).toEqual(["base", "config", "assets", "html"]);
    const names = async (kind: string) =>
      (await listing(release, kind)).map((line) => line.split(" ").at(-1));
    expect(await names("assets")).toEqual([
      "srv/",
      "srv/site/",
      "srv/site/css/",
      `srv/site/css/main.${"ab".repeat(32)}.css`,
      `srv/site/css/main.${"ab".repeat(32)}.css.gz`,
      "srv/site/pictures/",
      "srv/site/pictures/tower.png",
    ]);
    expect(await names("html")).toEqual([
      "srv/",
      "srv/site/",
      "srv/site/index.html",
      "srv/site/index.html.gz",
      "srv/site/posts/",
      "srv/site/posts/a/",
      "srv/site/posts/a/index.html",
    ]);
    expect(await names("config")).toContain("etc/nginx/conf.d/default.conf");
  });

  it("is owned by root, readable by all, and unpacks to the very bytes", async () => {
    const release = await pack(PAGES);
    for (const kind of ["config", "assets", "html"]) {
      for (const line of await listing(release, kind)) {
        expect(line).toMatch(/^(?:-rw-r--r--|drwxr-xr-x) 0\/0 /);
      }
    }
    const root = await unpacked(release);
    for (const [path, content] of Object.entries(PAGES)) {
      expect(await readFile(join(root, "srv/site", path))).toEqual(Buffer.from(content));
    }
    const copy = await readFile(join(root, "srv/site/index.html.gz"));
    expect(gunzipSync(copy).toString()).toBe(PAGES["index.html"]);
  });

  it("names digests that its blobs have", async () => {
    const release = await pack(PAGES);
    const image = await readLayoutImage(release.layout);
    expect(image.manifest.descriptor.digest).toBe(release.digest);
    const config = JSON.parse(await readFile(blobFile(release.layout, image.config.digest), "utf8"));
    for (const [index, { digest, diffId, size }] of release.layers.entries()) {
      const bytes = await readFile(blobFile(release.layout, digest));
      expect(bytes.byteLength).toBe(size);
      expect(`sha256:${createHash("sha256").update(bytes).digest("hex")}`).toBe(digest);
      const plain = index === 0 ? bytes : gunzipSync(bytes);
      expect(`sha256:${createHash("sha256").update(plain).digest("hex")}`).toBe(diffId);
      expect(config.rootfs.diff_ids[index]).toBe(diffId);
    }
  });

  it("keeps the base's way to run, and says where it comes from", async () => {
    const release = await pack(PAGES);
    const image = await readLayoutImage(release.layout);
    const config = JSON.parse(await readFile(blobFile(release.layout, image.config.digest), "utf8"));
    expect(config.config).toMatchObject({
      User: "101:101",
      StopSignal: "SIGQUIT",
      ExposedPorts: { "8080/tcp": {} },
    });
    expect(config.created).toBe("2026-01-02T03:04:05Z");
    const manifest = JSON.parse(Buffer.from(image.manifest.bytes).toString());
    expect(manifest.annotations).toMatchObject({
      "org.opencontainers.image.revision": COMMIT,
      "org.opencontainers.image.base.digest": lock.base.split("@")[1],
      "castle.release.pages": "2",
    });
    expect(config.config.Labels).toEqual(manifest.annotations);
  });

  it("has an SPDX document that refers to it and lists every file", async () => {
    const release = await pack(PAGES);
    const referrer = JSON.parse(await readFile(blobFile(release.layout, release.sbom.digest), "utf8"));
    expect(referrer.subject.digest).toBe(release.digest);
    expect(referrer.artifactType).toBe("application/spdx+json");
    const [spdx] = referrer.layers;
    expect(release.annotations["castle.release.sbom"]).toBe(spdx.digest);
    const files = filesOfSbom(await readFile(blobFile(release.layout, spdx.digest), "utf8"));
    expect([...files.keys()].toSorted()).toEqual(Object.keys(PAGES).toSorted());
    for (const { path, sha256 } of release.files) expect(files.get(path)).toBe(sha256);
  });
});

describe("the digest", () => {
  it("does not hang on times, modes, order, path or cache", async () => {
    const first = await pack(PAGES);
    const folder = join(home, "elsewhere and with a blank");
    for (const [path, content] of Object.entries(PAGES).toReversed()) {
      await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
      await writeFile(join(folder, path), content, { mode: 0o600 });
      await utimes(join(folder, path), 1, 2);
    }
    await chmod(join(folder, "index.html"), 0o755);
    expect((await packFolder(folder, "another cache")).digest).toBe(first.digest);
    expect((await packFolder(folder, "cache")).digest).toBe(first.digest);
  });

  it("does not hang on whether its pages were packed while others were still read", async () => {
    await pack(PAGES);
    const folder = join(home, `pages-${runs - 1}`);
    const early = await packFolder(folder, "one");
    const later = await packFolder(folder, "other", source, false);
    expect(early.digest).toBe(later.digest);
    expect(early.layers.every(({ reused, kind }) => kind === "base" || !reused)).toBe(true);
  });

  it("is another for another commit, with the same layers of pages", async () => {
    const [first, second] = [
      await pack(PAGES),
      await pack(PAGES, "cache", { ...source, commit: "a".repeat(40) }),
    ];
    expect(second.digest).not.toBe(first.digest);
    expect(layer(second, "config").digest).not.toBe(layer(first, "config").digest);
    for (const kind of ["base", "assets", "html"]) {
      expect(layer(second, kind).digest).toBe(layer(first, kind).digest);
      expect(layer(second, kind).reused).toBe(true);
    }
  });

  it("changes one layer where one page changes", async () => {
    const first = await pack(PAGES);
    const second = await pack({ ...PAGES, "posts/a/index.html": "<h1>B</h1>" });
    expect(layer(second, "assets").digest).toBe(layer(first, "assets").digest);
    expect(layer(second, "html").digest).not.toBe(layer(first, "html").digest);
  });

  it("follows from the pages: equal pages and nothing else give an equal digest (property)", async () => {
    const name = fc.stringMatching(/^[a-z]{1,3}(?:\/[a-z]{1,3})?\.(?:html|css|png|txt)$/);
    const content = fc.oneof(fc.string({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }));
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, content, { minKeys: 1, maxKeys: 6 }),
        fc.nat(),
        async (pages, salt) => {
          const one = await pack(pages);
          const same = await pack(Object.fromEntries(Object.entries(pages).toReversed()), `cache ${salt}`);
          expect(same.digest).toBe(one.digest);
          const [path = ""] = Object.keys(pages);
          const other = await pack({ ...pages, [path]: `${salt} and something else` });
          expect(other.digest).not.toBe(one.digest);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe("times of files", () => {
  it("differ where content of the same size differs, and only there", async () => {
    const [first, second] = [
      await pack({ "a.html": "<p>one</p>", "b.html": "<p>same</p>" }),
      await pack({ "a.html": "<p>two</p>", "b.html": "<p>same</p>" }),
    ];
    const [before, after] = [await listing(first, "html"), await listing(second, "html")];
    expect(line(after, "a.html")).not.toBe(line(before, "a.html"));
    expect(line(after, "b.html")).toBe(line(before, "b.html"));
  });
});

describe("kept layers", () => {
  it("that are damaged are made again", async () => {
    const first = await pack(PAGES);
    const { digest } = layer(first, "html");
    await writeFile(join(home, "cache/layers/blobs", digest.slice(7)), "damaged");
    const second = await pack(PAGES);
    expect(second.digest).toBe(first.digest);
    expect(layer(second, "html").reused).toBe(false);
    expect((await readFile(blobFile(second.layout, digest))).byteLength).toBe(layer(first, "html").size);
  });
});

it("refuses a base that does not start nginx", async () => {
  await writeFakeBase(join(home, "base"), { entrypoint: ["/bin/httpd"] });
  await expect(pack(PAGES)).rejects.toMatchObject({ code: "build/base", exitCode: 20 });
});
