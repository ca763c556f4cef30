import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { poll } from "../support/poll.ts";
import { clearEarlierRun, recordRun } from "./earlier-run.ts";

let directory = "";
let lock = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "castle-run-"));
  lock = join(directory, ".terraform.tfstate.lock.info");
});
afterEach(() => rm(directory, { recursive: true }));

/** A program of the given name that leads a process group and, with `child`, leaves one in it when it ends. */
async function program(name: string, script: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe("clearEarlierRun", () => {
  it("has nothing to do in a folder that was left in order", async () => {
    expect(await clearEarlierRun(directory)).toBe(false);
  });

  it("removes the lock of a dead run", async () => {
    await writeFile(lock, "{}");
    await recordRun(directory, 999_999);
    expect(await clearEarlierRun(directory)).toBe(true);
    await expect(access(lock)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await clearEarlierRun(directory)).toBe(false);
  });

  it("leaves a living run alone", async () => {
    const living = execa(await program("terraform", "sleep 30 & wait"), { detached: true, reject: false });
    const pid = living.pid ?? 0;
    await writeFile(lock, "{}");
    await recordRun(directory, pid);
    try {
      expect(await clearEarlierRun(directory)).toBe(false);
      await access(lock);
    } finally {
      process.kill(-pid, "SIGKILL");
    }
  });

  it("ends a Terraform that outlived its castle, be it deaf to an interrupt", async () => {
    const terraform = await program("terraform", "sleep 30 & wait");
    // In the background of a shell a program ignores interrupts, and loses its parent when the shell ends.
    const { stdout } = await execa("sh", ["-c", `setsid ${terraform} >/dev/null 2>&1 & echo $!; sleep 0.2`]);
    const orphan = Number(stdout);
    expect(isAlive(orphan)).toBe(true);
    await recordRun(directory, orphan);
    expect(await clearEarlierRun(directory, 200)).toBe(true);
    await poll(async () => (isAlive(orphan) ? undefined : true), {
      every: 10,
      within: 5_000,
      onTimeout: () => new Error("terraform still runs"),
    });
  });

  it("ends the provider that outlived its Terraform", async () => {
    const provider = await program("terraform-provider-proxmox_v0.111.1", "sleep 30 & wait");
    const leader = execa(await program("terraform", `${provider} >/dev/null 2>&1 & echo $!`), {
      detached: true,
    });
    const orphan = Number((await leader).stdout);
    await recordRun(directory, leader.pid ?? 0);
    try {
      expect(await clearEarlierRun(directory)).toBe(true);
      await poll(async () => (isAlive(orphan) ? undefined : true), {
        every: 10,
        within: 5_000,
        onTimeout: () => new Error("the provider still runs"),
      });
    } finally {
      endGroup(leader.pid ?? 0);
    }
  });
});

/** The stand-in's own `sleep`, which a real provider does not have. */
function endGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // All of it is gone.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Where nobody collects the dead of this machine, they stay as zombies.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
