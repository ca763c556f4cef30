import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gzip } from "./gzip.ts";
import { GzipPool } from "./gzip-pool.ts";

let folder: string;
let pool: GzipPool;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-gzip-"));
  pool = new GzipPool(2);
});
afterAll(async () => {
  await pool.close();
  await rm(folder, { recursive: true });
});

it("packs files on other cores to the very bytes of this one", async () => {
  const texts = Array.from({ length: 20 }, (_, index) =>
    Buffer.from(`<h1>Note ${index}</h1>`.repeat(index * 97)),
  );
  const paths = texts.map((_, index) => join(folder, String(index)));
  for (const [index, text] of texts.entries()) await writeFile(paths[index] ?? "", text);
  const packed = await Promise.all(paths.map((path) => pool.gzip(path)));
  expect(packed.map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual(
    texts.map((text) => Buffer.from(gzip(text)).toString("hex")),
  );
});

it("says which file could not be read, and goes on", async () => {
  await expect(pool.gzip(join(folder, "nowhere"))).rejects.toThrow("nowhere");
  await writeFile(join(folder, "here"), "here");
  expect((await pool.gzip(join(folder, "here"))).byteLength).toBeGreaterThan(0);
});
