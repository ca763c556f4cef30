import { execFile } from "node:child_process";
import {
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
  link,
  chmod,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeImageLayout } from "./image-layout.ts";
import { readLayoutImage } from "./layout-image.ts";
import { writeLayer } from "./layer-writer.ts";
import type { TarEntry } from "./tar-entry.ts";
import { treeEntries } from "./tree-entries.ts";

const execute = promisify(execFile);
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "castle-image-"));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function tree(name: string): Promise<string> {
  const root = join(home, name);
  await mkdir(join(root, "b/deep"), { recursive: true });
  await writeFile(join(root, "b/deep/text"), "hello\n");
  await chmod(join(root, "b/deep/text"), 0o640);
  await writeFile(join(root, "a"), "#!/bin/sh\n");
  await chmod(join(root, "a"), 0o4755);
  await link(join(root, "a"), join(root, "twin"));
  await symlink("../a", join(root, "b/pointer"));
  await utimes(join(root, "a"), Math.random() * 1e9, 5);
  return root;
}

async function systemTar(...args: string[]): Promise<string> {
  return (await execute("tar", args)).stdout;
}

describe("tar layers", () => {
  it("are read by the system's tar with content, modes and links", async () => {
    const layer = await writeLayer(await treeEntries(await tree("one")), {
      blobs: join(home, "blobs"),
      compression: "none",
    });
    const listing = await systemTar("-tvf", layer.file, "--numeric-owner");
    expect(listing.split("\n").map((line) => line.replace(/ +/g, " "))).toEqual([
      "-rwsr-xr-x 0/0 10 1970-01-01 00:00 a",
      "drwxr-xr-x 0/0 0 1970-01-01 00:00 b/",
      "drwxr-xr-x 0/0 0 1970-01-01 00:00 b/deep/",
      "-rw-r----- 0/0 6 1970-01-01 00:00 b/deep/text",
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00 b/pointer -> ../a",
      "hrw-r--r-- 0/0 0 1970-01-01 00:00 twin link to a",
      "",
    ]);
    await mkdir(join(home, "out"));
    await systemTar("-xf", layer.file, "-C", join(home, "out"));
    expect(await readFile(join(home, "out/b/deep/text"), "utf8")).toBe("hello\n");
    expect((await stat(join(home, "out/a"))).ino).toBe((await stat(join(home, "out/twin"))).ino);
  });

  it("are the same bytes for the same tree, whatever the times", async () => {
    const options = { blobs: join(home, "blobs"), compression: "none" } as const;
    const one = await writeLayer(await treeEntries(await tree("one")), options);
    const two = await writeLayer(await treeEntries(await tree("two")), options);
    expect(two.descriptor.digest).toBe(one.descriptor.digest);
    await writeFile(join(home, "two/a"), "other");
    const three = await writeLayer(await treeEntries(join(home, "two")), options);
    expect(three.descriptor.digest).not.toBe(one.descriptor.digest);
  });

  it.each([99, 100, 101, 155, 156, 255, 256, 300, 1000])("carry paths of %i bytes", async (length) => {
    const name = `${"d".repeat(20)}/${"é".repeat(200)}`.repeat(5);
    const path = Buffer.from(name)
      .subarray(0, length - 1)
      .toString()
      .replace(/\uFFFD/g, "")
      .replace(/\/$/, "x");
    const entries: TarEntry[] = [
      { type: "file", path: `${path}z`, mode: 0o644, content: Buffer.from("x") },
      { type: "symlink", path: "s", target: path },
    ];
    const layer = await writeLayer(entries, { blobs: join(home, "blobs"), compression: "none" });
    const listing = await systemTar("--quoting-style=literal", "-tvf", layer.file);
    expect(listing).toContain(` ${path}z\n`);
    expect(listing).toContain(` s -> ${path}\n`);
  });

  it("keep the digest of the plain tar as diff id when compressed", async () => {
    const entries = await treeEntries(await tree("one"));
    const plain = await writeLayer(entries, { blobs: join(home, "plain"), compression: "none" });
    const packed = await writeLayer(entries, { blobs: join(home, "packed"), compression: "gzip" });
    expect(packed.diffId).toBe(plain.descriptor.digest);
    expect(packed.descriptor.digest).not.toBe(plain.descriptor.digest);
    const { stdout } = await execute("sh", ["-c", `gzip -dc ${packed.file} | sha256sum | cut -d' ' -f1`]);
    expect(`sha256:${stdout.trim()}`).toBe(plain.diffId);
  });

  it("leave nothing behind when a file shrinks while it is read", async () => {
    const file = join(home, "short");
    await writeFile(file, "abc");
    const entry: TarEntry = { type: "file", path: "short", mode: 0o644, content: { file, size: 4 } };
    const blobs = join(home, "blobs");
    await expect(writeLayer([entry], { blobs, compression: "none" })).rejects.toMatchObject({
      code: "image/changed-while-read",
    });
    expect((await execute("ls", ["-A", blobs])).stdout).toBe("");
  });

  it("refuse a pipe in the tree", async () => {
    await execute("mkfifo", [join(home, "pipe")]);
    await expect(treeEntries(home)).rejects.toMatchObject({ code: "image/unsupported-file" });
  });
});

describe("image layouts", () => {
  it("are found broken when the manifest was changed", async () => {
    const layer = await writeLayer([], { blobs: join(home, "blobs"), compression: "none" });
    const runtime = { architecture: "amd64", entrypoint: ["/x"] } as const;
    const folder = join(home, "layout");
    const manifest = await writeImageLayout(folder, [layer], runtime);
    expect((await readLayoutImage(folder)).layers).toEqual([layer.descriptor]);
    const file = join(folder, "blobs/sha256", manifest.digest.slice(7));
    await writeFile(file, (await readFile(file, "utf8")).replace("2", "3"));
    await expect(readLayoutImage(folder)).rejects.toMatchObject({ code: "image/layout-broken" });
  });
});
