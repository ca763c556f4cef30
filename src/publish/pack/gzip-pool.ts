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

/** Gives work that compresses all cores, and ends what it started. */
export async function withGzip<T>(work: (gzip: Gzip) => Promise<T>): Promise<T> {
  const pool = new GzipPool();
  try {
    return await work((content) => pool.gzip(content));
  } finally {
    await pool.close();
  }
}

interface PoolSettings {
  readonly cores?: number;
  /** Bytes from which on other cores help. */
  readonly from?: number;
}

/** Compresses on all cores at once where there is much of it, each piece to the same bytes as `gzip` does. */
export class GzipPool {
  readonly #size: number;
  readonly #from: number;
  #cores: readonly Core[] = [];
  readonly #asked = new Map<number, Batch>();
  #count = 0;
  #waiting: Piece[] = [];
  #weight = 0;
  /** Bytes that were ever to be packed. */
  #given = 0;

  constructor({ cores = Math.min(availableParallelism(), 4), from = MUCH }: PoolSettings = {}) {
    this.#size = cores;
    this.#from = from;
  }

  gzip(content: Uint8Array): Promise<Uint8Array> {
    const packed = new Promise<Uint8Array>((resolve, reject) => {
      this.#waiting.push({ content, resolve, reject });
    });
    // Whoever stops half way leaves some that nobody waits for.
    packed.catch(() => undefined);
    this.#weight += content.byteLength;
    this.#given += content.byteLength;
    // What is not full goes as soon as there is nothing else to do but wait.
    if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    if (this.#weight >= FULL.bytes || this.#waiting.length >= FULL.pieces) this.#ask();
    return packed;
  }

  async close(): Promise<void> {
    await Promise.all(this.#cores.map(({ worker }) => worker.terminate()));
    this.#fail(new Error("the pool was closed"));
  }

  #flush(): void {
    if (this.#given >= this.#from) this.#ask();
    else for (const { content, resolve } of this.#taken(this.#waiting.length)) resolve(gzip(content));
  }

  #ask(): void {
    // Nothing waits any more in a pool that was closed meanwhile.
    if (this.#waiting.length === 0 || this.#given < this.#from) return;
    if (this.#cores.length === 0) this.#cores = this.#started();
    while (this.#waiting.length > 0) {
      let [count, size] = [0, 0];
      for (const { content } of this.#waiting) {
        if (size >= FULL.bytes || count >= FULL.pieces) break;
        count += 1;
        size += content.byteLength;
      }
      this.#send(this.#taken(count), size);
    }
  }

  #taken(count: number): readonly Piece[] {
    const pieces = this.#waiting.splice(0, count);
    this.#weight -= pieces.reduce((sum, { content }) => sum + content.byteLength, 0);
    return pieces;
  }

  #started(): readonly Core[] {
    const fflate = createRequire(import.meta.url).resolve("fflate");
    return Array.from({ length: this.#size }, () => {
      const worker = new Worker(PROGRAM, { eval: true, workerData: { fflate, settings: GZIP } });
      worker.on("message", (said: unknown) => this.#settle(said));
      worker.on("error", (error) => this.#fail(error));
      return { worker, load: 0 };
    });
  }

  #send(pieces: readonly Piece[], size: number): void {
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
    this.#asked.clear();
    for (const { reject } of [...left, ...this.#taken(this.#waiting.length)]) reject(error);
  }
}
