import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import { GZIP } from "./gzip.ts";

/** As text, because this file is TypeScript where it is developed, which a worker of Node 20 cannot load. */
const PROGRAM = `
const { parentPort, workerData } = require("node:worker_threads");
const { readFileSync } = require("node:fs");
const { gzipSync } = require(workerData.fflate);
parentPort.on("message", ({ id, path }) => {
  try {
    const packed = gzipSync(readFileSync(path), workerData.settings);
    parentPort.postMessage({ id, packed });
  } catch (error) {
    parentPort.postMessage({ id, error });
  }
});
`;

const answerShape = z.object({
  id: z.number(),
  packed: z.instanceof(Uint8Array).optional(),
  error: z.unknown().optional(),
});

interface Waiting {
  readonly resolve: (packed: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/** Compresses files on all cores at once, each to the same bytes as `gzip` does. */
export class GzipPool {
  readonly #workers: readonly Worker[];
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  constructor(size = Math.min(availableParallelism(), 4)) {
    const fflate = createRequire(import.meta.url).resolve("fflate");
    this.#workers = Array.from({ length: size }, () => {
      const worker = new Worker(PROGRAM, { eval: true, workerData: { fflate, settings: GZIP } });
      worker.on("message", (said: unknown) => this.#settle(said));
      worker.on("error", (error) => this.#fail(error));
      return worker;
    });
  }

  gzip(path: string): Promise<Uint8Array> {
    const id = this.#count;
    this.#count += 1;
    const packed = new Promise<Uint8Array>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    // Whoever stops half way leaves some that nobody waits for.
    packed.catch(() => undefined);
    this.#workers[id % this.#workers.length]?.postMessage({ id, path });
    return packed;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#fail(new Error("the pool was closed"));
  }

  #settle(said: unknown): void {
    const { id, packed, error } = answerShape.parse(said);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (packed === undefined) waiting?.reject(error);
    else waiting?.resolve(packed);
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
