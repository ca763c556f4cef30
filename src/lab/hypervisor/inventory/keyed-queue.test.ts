import { EventEmitter, once } from "node:events";
import { describe, expect, it } from "vitest";
import { KeyedQueue } from "./keyed-queue.ts";

describe("a queue for each machine", () => {
  it("runs the works of one machine one after the other, also after a failure", async () => {
    const queue = new KeyedQueue();
    const seen: string[] = [];
    const first = queue.run(1, async () => {
      await Promise.resolve();
      seen.push("first");
      throw new Error("failed");
    });
    const second = queue.run(1, async () => {
      seen.push("second");
    });
    await expect(first).rejects.toThrow("failed");
    await second;
    expect(seen).toEqual(["first", "second"]);
  });

  it("does not let machines wait for each other", async () => {
    const queue = new KeyedQueue();
    const signal = new EventEmitter();
    const slow = queue.run(1, () => once(signal, "go"));
    expect(await queue.run(2, async () => "done")).toBe("done");
    signal.emit("go");
    await slow;
  });

  it("drains after the last work", async () => {
    const queue = new KeyedQueue();
    let done = 0;
    for (const key of [1, 1, 2]) void queue.run(key, async () => done++);
    await queue.drain();
    expect(done).toBe(3);
  });
});
