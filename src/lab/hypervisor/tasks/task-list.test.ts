import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StateFile } from "../inventory/state-file.ts";
import { TaskList } from "./task-list.ts";

const request = { host: "pve1", type: "qmstart", id: "100", user: "castle@pve!lab" };

let folder: string;
let tasks: TaskList;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-tasks-"));
  tasks = await open();
});

afterEach(async () => {
  await tasks.drain();
  await rm(folder, { recursive: true, force: true });
});

describe("tasks", () => {
  it("end with OK or with what went wrong, in one line", async () => {
    const good = await tasks.begin(request, async (log) => log("one line"));
    const bad = await tasks.begin(request, async () => {
      throw new Error("no space\nleft");
    });
    await tasks.drain();
    expect(tasks.find(good)).toMatchObject({ exitStatus: "OK", log: ["one line", "TASK OK"] });
    expect(tasks.find(bad)).toMatchObject({
      exitStatus: "no space left",
      log: ["TASK ERROR: no space left"],
    });
  });

  it("are told apart, also within one second", async () => {
    const upids = await Promise.all(Array.from({ length: 50 }, () => tasks.begin(request, async () => {})));
    expect(new Set(upids).size).toBe(50);
  });

  it("let those who ask wait for the end, and no longer than they want", async () => {
    const work = new EventEmitter();
    const upid = await tasks.begin(request, async () => {
      await once(work, "over");
    });
    await tasks.settle(upid, 1);
    expect(tasks.find(upid)).not.toHaveProperty("exitStatus");
    const settled = tasks.settle(upid, 60_000);
    work.emit("over");
    await settled;
    expect(tasks.find(upid)).toMatchObject({ exitStatus: "OK" });
  });

  it("are still known, and over, after a kill in the middle of them", async () => {
    const work = new EventEmitter();
    const upid = await tasks.begin(request, async () => {
      await once(work, "over");
    });
    const next = await open();
    expect(next.find(upid)).not.toHaveProperty("exitStatus");
    next.closeInterrupted();
    expect(next.find(upid)?.exitStatus).toContain("interrupted");
    work.emit("over");
  });
});

async function open(): Promise<TaskList> {
  return new TaskList(await StateFile.open(join(folder, "hypervisor.json")), () => undefined);
}
