import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill } from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StepEvent } from "../../journal/step.ts";
import { poll } from "../../support/poll.ts";
import { identify, isAlive, processIdentityShape } from "../../support/process-identity.ts";
import { Processes, endRecordedProcesses } from "./processes.ts";
import type { SupervisedProcess } from "./supervised-process.ts";

let folder: string;
let run: string;
let events: StepEvent[];
let processes: Processes;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-processes-"));
  run = join(folder, "run");
  events = [];
  processes = newProcesses();
});

afterEach(async () => {
  await processes.stop();
  await rm(folder, { recursive: true });
});

function newProcesses(restarts = 5): Processes {
  return new Processes({ run, logs: folder, restarts, report: (event) => void events.push(event) });
}

const until = (condition: () => boolean | Promise<boolean>) =>
  poll(async () => ((await condition()) ? true : undefined), {
    every: 10,
    within: 10_000,
    onTimeout: () => new Error("the condition never came true"),
  });

function identityOf(supervised: SupervisedProcess) {
  if (supervised.state.kind !== "running") throw new Error(`it is ${supervised.state.kind}`);
  return supervised.state.identity;
}

const sleeper = { name: "sleeper", command: ["sleep", "1000"] as const };

describe("supervised processes", () => {
  it("do not outlive a pid file that cannot be written: nobody would find them again", async () => {
    await writeFile(join(folder, "blocked"), "");
    const blocked = new Processes({ run: join(folder, "blocked"), logs: folder });
    const told = join(folder, "pid");
    const shell = { name: "shell", command: ["sh", "-c", `echo $$ > ${told}; exec sleep 1000`] as const };
    await expect(blocked.start(shell)).rejects.toThrow("EEXIST");
    await until(async () => {
      const pid = Number(await readFile(told, "utf8").catch(() => "0"));
      return pid === 0 || (await identify(pid)) === undefined;
    });
  });

  it("run with their own environment, log to a private file, and are gone after stop", async () => {
    const shell = await processes.start({
      name: "shell",
      command: ["sh", "-c", 'echo "$GREETING $HOME"; exec sleep 1000'],
      env: { GREETING: "hello" },
    });
    const log = join(folder, "shell.log");
    await until(async () => (await readFile(log, "utf8")) === "hello \n");
    expect((await stat(log)).mode & 0o777).toBe(0o600);
    const identity = identityOf(shell);
    expect(await isAlive(identity)).toBe(true);
    await processes.stop();
    expect(await isAlive(identity)).toBe(false);
    await expect(stat(join(run, "shell.pid"))).rejects.toThrow("ENOENT");
  });

  it("are started again when they are killed", async () => {
    const supervised = await processes.start(sleeper);
    const first = identityOf(supervised);
    kill(first.pid, "SIGKILL");
    await until(() => supervised.state.kind === "running" && supervised.state.identity.pid !== first.pid);
    expect(events).toMatchObject([{ type: "warning", message: expect.stringContaining("SIGKILL") }]);
    const recorded = processIdentityShape.parse(JSON.parse(await readFile(join(run, "sleeper.pid"), "utf8")));
    expect(recorded).toEqual(identityOf(supervised));
  });

  it("are given up when they keep ending", async () => {
    processes = newProcesses(2);
    const supervised = await processes.start({ name: "broken", command: ["sh", "-c", "echo no; exit 7"] });
    await until(() => supervised.state.kind === "failed");
    expect((await readFile(join(folder, "broken.log"), "utf8")).match(/no\n/g)).toHaveLength(3);
    expect(events.at(-1)).toMatchObject({ message: expect.stringContaining("exit code 7") });
  });

  it("say with their log why they never became ready", async () => {
    const broken = await processes.start({
      name: "broken",
      command: ["sh", "-c", "echo the port is taken; exit 1"],
    });
    await expect(broken.ready(async () => false)).rejects.toMatchObject({
      code: "lan/service-failed",
      message: expect.stringContaining("the port is taken"),
    });
    const slow = await processes.start(sleeper);
    await expect(slow.ready(async () => false, 30)).rejects.toMatchObject({
      message: expect.stringContaining("30 ms"),
    });
  });

  it("replace the one that an earlier daemon left", async () => {
    const left = identityOf(await newProcesses().start(sleeper));
    const fresh = identityOf(await processes.start(sleeper));
    expect(await isAlive(left)).toBe(false);
    expect(await isAlive(fresh)).toBe(true);
  });

  it("insist when a program ignores the request to end", async () => {
    const stubborn = await processes.start({
      name: "stubborn",
      command: ["sh", "-c", 'trap "" TERM; echo ready; while :; do sleep 0.2; done'],
    });
    await until(async () => (await readFile(join(folder, "stubborn.log"), "utf8")) !== "");
    const identity = identityOf(stubborn);
    await processes.stop();
    expect(await isAlive(identity)).toBe(false);
  });
});

describe("pid files", () => {
  it("end the process that they name, and no other that got its pid later", async () => {
    const bystander = spawn("sleep", ["1000"]);
    const identity = await identify(bystander.pid ?? 0);
    if (identity === undefined) throw new Error("sleep did not start");
    await mkdir(run);
    const file = join(run, "old.pid");
    await writeFile(file, JSON.stringify({ ...identity, started: `${Number(identity.started) - 1}` }));
    await endRecordedProcesses(run);
    expect(await isAlive(identity)).toBe(true);
    await writeFile(file, JSON.stringify(identity));
    await endRecordedProcesses(run);
    expect(await isAlive(identity)).toBe(false);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  it.each(["", "{", '{"pid":1,"started":"0","boot":"x"}'])("that say %j end nobody", async (content) => {
    await mkdir(run);
    await writeFile(join(run, "broken.pid"), content);
    await expect(endRecordedProcesses(run)).resolves.toBeUndefined();
  });
});
