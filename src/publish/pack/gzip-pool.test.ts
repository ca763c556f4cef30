import { afterAll, beforeAll, expect, it } from "vitest";
import { gzip } from "./gzip.ts";
import { GzipPool } from "./gzip-pool.ts";

let pool: GzipPool;

beforeAll(() => {
  pool = new GzipPool(2);
});
afterAll(() => pool.close());

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

it("packs on other cores to the very bytes of this one, whether messages are full or not", async () => {
  const texts = Array.from({ length: 400 }, (_, index) =>
    Buffer.from(`<h1>Note ${index}</h1>`.repeat((index * 97) % 1013)),
  );
  const packed = await Promise.all(texts.map((text) => pool.gzip(text)));
  expect(packed.map(hex)).toEqual(texts.map((text) => hex(gzip(text))));
  // The caller's own memory stays his.
  expect(texts.every((text, index) => text.byteLength > 0 || (index * 97) % 1013 === 0)).toBe(true);
  expect(hex(await pool.gzip(Buffer.from("one more")))).toBe(hex(gzip(Buffer.from("one more"))));
});

it("ends those who wait when it is closed", async () => {
  const other = new GzipPool(1);
  const packed = other.gzip(Buffer.from("never"));
  await other.close();
  await expect(packed).rejects.toThrow("closed");
});
