import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import { GZIP, type Gzip, gzip } from "./gzip.ts";

/**
 * As text, because this file is TypeScript where it is developed, which a worker of Node 20 cannot load. Pieces come and go
 * in one piece of memory that changes hands: one by one their messages would cost as much as packing them.
 */
const PROGRAM = `
const { parentPort, workerData } = require("node:worker_threads");
const { gzipSync } = require(workerData.fflate);
parentPort.on("message", ({ id, content, ends }) => {
  const packed = ends.map((end, index) => gzipSync(content.subarray(ends[index - 1] ?? 0, end), workerData.settings));
  const answer = new Uint8Array(packed.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  const answerEnds = packed.map((piece) => {
    answer.set(piece, at);
    return (at += piece.length);
  });
  parentPort.postMessage({ id, content: answer, ends: answerEnds }, [answer.buffer]);
});
`;

const answerShape = z.object({
  id: z.number(),
  content: z.instanceof(Uint8Array),
  ends: z.array(z.number()),
});

interface Piece {
  readonly content: Uint8Array;
  readonly resolve: (packed: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

interface Core {
  readonly worker: Worker;
  /** Bytes that it has not packed yet. */
  load: number;
}

interface Batch {
  readonly core: Core;
  readonly pieces: readonly Piece[];
  readonly size: number;
}

/** What one message holds at most: bytes, and pieces. */
const FULL = { bytes: 128 * 1024, pieces: 128 };

/** Bytes from which on starting other threads pays. */
const MUCH = 1024 * 1024;

/** @param bytes that will have to be compressed, roughly */
export async function withGzip<T>(bytes: number, work: (gzip: Gzip) => Promise<T>): Promise<T> {
  if (bytes < MUCH) return work((content) => Promise.resolve(gzip(content)));
  const pool = new GzipPool();
  try {
    return await work((content) => pool.gzip(content));
  } finally {
    await pool.close();
  }
}

/** Compresses on all cores at once, each piece to the same bytes as `gzip` does. */
export class GzipPool {
  readonly #cores: readonly Core[];
  readonly #asked = new Map<number, Batch>();
  #count = 0;
  #pieces: Piece[] = [];
  #size = 0;

  constructor(size = Math.min(availableParallelism(), 4)) {
    const fflate = createRequire(import.meta.url).resolve("fflate");
    this.#cores = Array.from({ length: size }, () => {
      const worker = new Worker(PROGRAM, { eval: true, workerData: { fflate, settings: GZIP } });
      worker.on("message", (said: unknown) => this.#settle(said));
      worker.on("error", (error) => this.#fail(error));
      return { worker, load: 0 };
    });
  }

  gzip(content: Uint8Array): Promise<Uint8Array> {
    const packed = new Promise<Uint8Array>((resolve, reject) => {
      this.#pieces.push({ content, resolve, reject });
    });
    // Whoever stops half way leaves some that nobody waits for.
    packed.catch(() => undefined);
    this.#size += content.byteLength;
    // What is not full goes as soon as there is nothing else to do but wait.
    if (this.#pieces.length === 1) setImmediate(() => this.#ask());
    if (this.#size >= FULL.bytes || this.#pieces.length >= FULL.pieces) this.#ask();
    return packed;
  }

  async close(): Promise<void> {
    await Promise.all(this.#cores.map(({ worker }) => worker.terminate()));
    this.#fail(new Error("the pool was closed"));
  }

  #ask(): void {
    const [pieces, size] = [this.#pieces, this.#size];
    if (pieces.length === 0) return;
    this.#pieces = [];
    this.#size = 0;
    const core = this.#cores.reduce((one, other) => (other.load < one.load ? other : one));
    core.load += size;
    const id = this.#count;
    this.#count += 1;
    this.#asked.set(id, { core, pieces, size });
    const content = new Uint8Array(size);
    let at = 0;
    const ends = pieces.map((piece) => {
      content.set(piece.content, at);
      at += piece.content.byteLength;
      return at;
    });
    core.worker.postMessage({ id, content, ends }, [content.buffer]);
  }

  #settle(said: unknown): void {
    const { id, content, ends } = answerShape.parse(said);
    const batch = this.#asked.get(id);
    if (batch === undefined) return;
    this.#asked.delete(id);
    batch.core.load -= batch.size;
    for (const [index, { resolve }] of batch.pieces.entries()) {
      resolve(content.subarray(ends[index - 1] ?? 0, ends[index]));
    }
  }

  #fail(error: unknown): void {
    const left = [...this.#asked.values()].flatMap(({ pieces }) => pieces);
    for (const { reject } of [...left, ...this.#pieces]) reject(error);
    this.#asked.clear();
    this.#pieces = [];
    this.#size = 0;
  }
}
