import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gzip } from "./gzip.ts";
import { GzipPool } from "./gzip-pool.ts";

let pool: GzipPool;

beforeAll(() => {
  pool = new GzipPool({ cores: 2, from: 0 });
});
afterAll(() => pool.close());

const ports = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
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

it("packs little on this core, and all of much on others", async () => {
  const other = new GzipPool({ cores: 2, from: 100_000 });
  const texts = Array.from({ length: 300 }, (_, index) => Buffer.from(`<p>${index}</p>`.repeat(60)));
  expect(hex(await other.gzip(Buffer.from("little")))).toBe(hex(gzip(Buffer.from("little"))));
  const packed = await Promise.all(texts.map((text) => other.gzip(text)));
  expect(packed.map(hex)).toEqual(texts.map((text) => hex(gzip(text))));
  await other.close();
});

it("ends those who wait when it is closed", async () => {
  const other = new GzipPool({ cores: 1, from: 0 });
  const before = ports();
  const packed = other.gzip(Buffer.from("never"));
  await other.close();
  await expect(packed).rejects.toThrow("closed");
  await setImmediate();
  // A thread that was started then would keep the process alive.
  expect(ports()).toBe(before);
});
