import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeImageLayout } from "./image-layout.ts";
import { writeLayer } from "./layer-writer.ts";
import { blobFile, readLayoutImage } from "./layout-image.ts";
import { writeSiteImage } from "./site-image.ts";

const execute = promisify(execFile);
let home: string;
let base: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "castle-site-"));
  base = join(home, "base");
  const content = Buffer.from("server");
  const layer = await writeLayer([{ type: "file", path: "nginx", mode: 0o755, content }], {
    blobs: join(base, "blobs/sha256"),
    compression: "none",
  });
  const entrypoint = ["/nginx", "-g", "daemon off;"];
  const runtime = { architecture: "amd64", entrypoint, user: "101:101", stopSignal: "SIGQUIT" } as const;
  await writeImageLayout(base, [layer], runtime);
  await pages("pages", "<p>one</p>");
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function pages(name: string, index: string): Promise<void> {
  await mkdir(join(home, name, "posts"), { recursive: true });
  await writeFile(join(home, name, "index.html"), index, { mode: 0o600 });
  await writeFile(join(home, name, "posts/first.html"), "<p>first</p>");
}

function site(from: string, to: string) {
  return writeSiteImage({ base, pages: join(home, from), release: "blog-1", folder: join(home, to) });
}

async function times(layout: string): Promise<Record<string, string>> {
  const { layers } = await readLayoutImage(join(home, layout));
  const blob = blobFile(join(home, layout), layers[1]?.digest ?? "");
  const { stdout } = await execute("tar", ["-tvf", blob, "--full-time", "--utc"]);
  const lines = stdout.trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => [line.split(" ").at(-1), line.match(/\d{4}-\S+ \S+/)?.[0] ?? ""]),
  );
}

it("stands on the base, runs as it does, and is the same bytes each time", async () => {
  const first = await site("pages", "first");
  // Other times and modes on disk, the same content.
  await pages("again", "<p>one</p>");
  expect((await site("again", "second")).digest).toBe(first.digest);

  const image = await readLayoutImage(join(home, "first"));
  expect(image.layers[0]).toEqual((await readLayoutImage(base)).layers[0]);
  const config = JSON.parse(await readFile(blobFile(join(home, "first"), image.config.digest), "utf8"));
  expect(config.config).toMatchObject({
    User: "101:101",
    Entrypoint: ["/nginx", "-g", "daemon off;"],
    StopSignal: "SIGQUIT",
  });
  expect(config.rootfs.diff_ids).toEqual(image.layers.map(({ digest }) => digest));
});

it("gives a file of the same size another time when its content is another", async () => {
  await site("pages", "first");
  await pages("edited", "<p>two</p>");
  await site("edited", "second");
  const [before, after] = [await times("first"), await times("second")];
  expect(after["srv/site/index.html"]).not.toBe(before["srv/site/index.html"]);
  expect(after["srv/site/posts/first.html"]).toBe(before["srv/site/posts/first.html"]);
});

it("is another image for another release", async () => {
  const first = await site("pages", "first");
  const options = { base, pages: join(home, "pages"), release: "blog-2", folder: join(home, "second") };
  expect((await writeSiteImage(options)).digest).not.toBe(first.digest);
});
