import { createHash } from "node:crypto";
import { access, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeImageLayout } from "../../src/image/image-layout.ts";
import { pushImage } from "../../src/image/image-push.ts";
import { writeLayer } from "../../src/image/layer-writer.ts";
import { blobFile, readLayoutImage } from "../../src/image/layout-image.ts";
import type { TarEntry } from "../../src/image/tar-entry.ts";
import { platformVersions } from "../../src/lab/parts/platform-versions.ts";
import { renderDockerfile } from "../../src/publish/dockerfile/dockerfile.ts";
import { renderDockerignore } from "../../src/publish/dockerfile/dockerignore.ts";
import { readSiteLock } from "../../src/publish/lock/read-site-lock.ts";
import type { PackedRelease } from "../../src/publish/release.ts";
import { checkSource } from "../../src/publish/source/check-source.ts";
import { run } from "../../src/support/run.ts";
import { BlogReleases } from "../contract/blog-releases.ts";
import { canRunLab, partOrSkip } from "../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../fixtures/registry.ts";

const BUSYBOX = "/bin/busybox";
const VERSION = platformVersions.hugo.slice(1);
/** What buildah itself puts into a container that it works in. */
const OF_THE_BUILDER = /^(?:dev|proc|sys|run|etc\/(?:hosts|resolv\.conf|hostname))(?:\/|$)/;

const there = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
/** Debian's packages buildah and busybox-static; neither is asked for by anything but this comparison. */
const hasTools = canRunLab && (await there("/usr/bin/buildah")) && (await there(BUSYBOX));
const hugo = await partOrSkip("hugo");
const base = await partOrSkip("nginx-base");

/**
 * The generated Dockerfile in the hands of a real builder. The image of its first stage is a stand-in from our own
 * registry: Hugo and a shell with its tools, as the named one has them.
 */
describe.skipIf(!hasTools || hugo === undefined || base === undefined)(
  "the Dockerfile, built by buildah",
  () => {
    let folder: string;
    let registry: TestRegistry;
    let blog: BlogReleases;
    let release: PackedRelease;
    let theirs: Tree;
    let ours: Tree;

    const buildah = async (...args: string[]) => {
      const store = [
        "--storage-driver",
        "vfs",
        "--root",
        join(folder, "store"),
        "--runroot",
        join(folder, "run"),
      ];
      return (
        await run("buildah", [...store, ...args], { timeout: 300_000, cwd: blog.source.folder })
      ).stdout.trim();
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "castle-dockerfile-"));
      registry = await openRegistry();
      blog = await BlogReleases.create(hugo ?? "", base ?? "");
      release = await blog.release();
      ours = await treeOf(await unpacked(release.layout));
      theirs = await treeOf(await built());
    });
    afterAll(async () => {
      await buildah("rm", "--all").catch(() => "");
      await registry?.close();
      await blog?.source.remove();
      await rm(folder, { recursive: true, force: true });
    });

    async function unpacked(layout: string): Promise<string> {
      const root = join(folder, "ours");
      await mkdir(root);
      for (const { digest } of (await readLayoutImage(layout)).layers) {
        await run("tar", ["-x", "-p", "--same-owner", "-f", blobFile(layout, digest), "-C", root]);
      }
      return root;
    }

    async function built(): Promise<string> {
      const access = { folder: blog.source.folder, environment: { PATH: "/usr/local/bin:/usr/bin:/bin" } };
      const source = await checkSource(access);
      const lock = await readSiteLock(source, access);
      await writeFile(join(blog.source.folder, "Dockerfile"), renderDockerfile({ lock, port: release.port }));
      await writeFile(join(blog.source.folder, ".dockerignore"), renderDockerignore(lock));
      const builder = await pushed("hugomods/hugo", await builderImage());
      const server = await pushed("castle/nginx", base ?? "");
      const values = {
        BUILDER: builder,
        BASE: server,
        RELEASE: release.tag,
        COMMITTED: source.committedAt,
      };
      await buildah(
        "bud",
        "--isolation=chroot",
        "--network=host",
        "--tls-verify=false",
        ...Object.entries(values).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
        "--tag=site",
        ".",
      );
      return buildah("mount", await buildah("from", "--pull-never", "localhost/site"));
    }

    async function pushed(repository: string, layout: string): Promise<string> {
      const { digest } = (await readLayoutImage(layout)).manifest.descriptor;
      await pushImage(registry.client, layout, { repository, tag: `std-${VERSION}` });
      return `${registry.host}/${repository}@${digest}`;
    }

    async function builderImage(): Promise<string> {
      const layout = join(folder, "builder");
      const applets = (await run(BUSYBOX, ["--list"])).stdout.split("\n").filter((name) => name !== "");
      const links = applets
        .filter((name) => name !== "busybox")
        .map((name): TarEntry => ({ type: "symlink", path: `bin/${name}`, target: "busybox" }));
      const layer = await writeLayer(
        [
          { type: "directory", path: "bin", mode: 0o755 },
          await program("bin/busybox", BUSYBOX),
          await program("bin/hugo", hugo ?? ""),
          ...links,
          { type: "directory", path: "tmp", mode: 0o1777 },
        ],
        { blobs: join(layout, "blobs/sha256"), compression: "none" },
      );
      await writeImageLayout(layout, [layer], {
        architecture: "amd64",
        entrypoint: ["/bin/sh"],
        ports: [],
      });
      return layout;
    }

    it("has the same paths as castle's own image, and no other", () => {
      expect([...theirs.keys()]).toEqual([...ours.keys()]);
      expect(ours.size).toBeGreaterThan(300);
    });

    it("each with the same kind, mode, owner, size and bytes, and in the site the same time", () => {
      const wrong = [...ours].flatMap(([path, wanted]) => {
        const found = theirs.get(path);
        return JSON.stringify(found) === JSON.stringify(wanted) ? [] : [{ path, wanted, found }];
      });
      expect(wrong).toEqual([]);
    });
  },
);

async function program(path: string, file: string): Promise<TarEntry> {
  return { type: "file", path, mode: 0o755, content: await readFile(file) };
}

interface Node {
  readonly kind: "directory" | "file" | "symlink";
  readonly mode: number;
  readonly owner: string;
  /** Bytes, of a compressed copy those of what it holds: two compressors need not agree on theirs. */
  readonly size: number;
  /** SHA-256 of the bytes, or a link's target. */
  readonly content: string;
  /** Seconds since 1970; of the site's files alone, from which nginx makes its ETag. */
  readonly modified: number | undefined;
}
/** By path, in the order of its bytes. */
type Tree = ReadonlyMap<string, Node>;

async function treeOf(root: string): Promise<Tree> {
  const paths = (await readdir(root, { recursive: true })).filter((path) => !OF_THE_BUILDER.test(path));
  const nodes = await Promise.all(
    paths.toSorted().map(async (path) => [path, await nodeAt(root, path)] as const),
  );
  return new Map(nodes);
}

async function nodeAt(root: string, path: string): Promise<Node> {
  const file = join(root, path);
  const stat = await lstat(file);
  const facts = { mode: stat.mode & 0o7777, owner: `${stat.uid}:${stat.gid}` };
  if (stat.isDirectory()) return { ...facts, kind: "directory", size: 0, content: "", modified: undefined };
  if (stat.isSymbolicLink()) {
    const target = await readlink(file);
    return { ...facts, kind: "symlink", size: target.length, content: target, modified: undefined };
  }
  const bytes = await readFile(file);
  const held = path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  return {
    ...facts,
    kind: "file",
    size: held.length,
    content: createHash("sha256").update(held).digest("hex"),
    modified: path.startsWith("srv/") ? stat.mtimeMs / 1000 : undefined,
  };
}
