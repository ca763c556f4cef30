import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestLab, machineBody, record } from "./hypervisor/lab.ts";

let lab: TestLab;
let daemon: ChildProcessByStdio<Writable, Readable, null> | undefined;
/** Lines that the daemon says. */
let said: AsyncIterator<string>;

beforeEach(async () => {
  lab = await TestLab.start();
  await lab.close();
});

afterEach(async () => {
  await kill();
  await lab.remove();
});

describe("a daemon killed with SIGKILL", () => {
  it("while it makes a machine leaves none, and the same call makes it afterwards", async () => {
    await doomed("create");
    await lab.image(100);
    const upid = (await lab.call("POST", "nodes/pve1/qemu", machineBody(100))).data;
    expect((await lab.call("GET", "nodes/pve1/qemu")).data).toMatchObject([{ vmid: 100, lock: "create" }]);
    await said.next();
    await kill();
    await lab.open();
    expect((await lab.call("GET", "cluster/resources?type=vm")).data).toEqual([]);
    const task = (await lab.call("GET", `nodes/pve1/tasks/${encodeURIComponent(String(upid))}/status`)).data;
    expect(record(task)["exitstatus"]).toContain("interrupted");
    expect(await lab.task("POST", "nodes/pve1/qemu", machineBody(100))).toBe("OK");
  });

  it("while it starts a machine starts it when it resumes", async () => {
    await doomed("start");
    await lab.machine(100);
    await lab.call("POST", "nodes/pve1/qemu/100/status/start");
    await said.next();
    await kill();
    await lab.open();
    expect(await lab.status(100)).toBe("stopped");
    await lab.hypervisor.resume();
    expect(await lab.status(100)).toBe("running");
  });

  it("while it removes a machine has removed it afterwards", async () => {
    await doomed("destroy");
    await lab.machine(100);
    await lab.call("DELETE", "nodes/pve1/qemu/100");
    await said.next();
    await kill();
    await lab.open();
    expect((await lab.call("GET", "cluster/resources?type=vm")).data).toEqual([]);
    expect((await lab.call("GET", "nodes/pve1/storage/local-lvm/content")).data).toEqual([]);
  });
});

/** Starts the daemon of `doomed-daemon.ts`, in which one call of the driver never ends. */
async function doomed(stuck: string): Promise<void> {
  const file = new URL("hypervisor/doomed-daemon.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--import", "tsx", file], { stdio: ["pipe", "pipe", "inherit"] });
  daemon = child;
  const { token, ...settings } = lab.settings;
  child.stdin.end(
    JSON.stringify({
      folder: lab.folder,
      stuck,
      tokenId: token.id,
      tokenSecret: token.secret.reveal(),
      settings,
    }),
  );
  said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await said.next();
  const { endpoint, certificate } = record(JSON.parse(String(first.value)));
  lab.attach({ endpoint: String(endpoint), certificate: String(certificate) });
}

async function kill(): Promise<void> {
  const child = daemon;
  daemon = undefined;
  if (child === undefined) return;
  await lab.close();
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
