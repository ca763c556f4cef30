import { kill } from "node:process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../support/run.ts";
import { writeFileAtomic } from "../support/write-file.ts";

const PID_FILE = "terraform.pid";
const LOCK_FILE = ".terraform.tfstate.lock.info";

/** Remembers which process works in the folder, so that a later run can tell a living one from a dead one's leftovers. */
export async function recordRun(directory: string, pid: number): Promise<void> {
  await writeFileAtomic(join(directory, PID_FILE), `${pid}\n`);
}

export async function forgetRun(directory: string): Promise<void> {
  await rm(join(directory, PID_FILE), { force: true });
}

/**
 * Clears up after a Terraform that was killed: its lock file, and the provider that outlives it, which would go on
 * creating machines nobody remembers. One that still runs is left alone; Terraform's own lock makes the next one wait.
 * @returns whether something was cleared up
 */
export async function clearEarlierRun(directory: string): Promise<boolean> {
  const text = await readFile(join(directory, PID_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return false;
  const pid = Number(text.trim());
  const group = Number.isInteger(pid) && pid > 1 ? await processGroup(pid) : [];
  if (group.some((member) => member.pid === pid && /terraform|tofu/.test(member.command))) return false;
  for (const member of group.filter(({ command }) => command.includes("terraform-provider-proxmox"))) {
    end(member.pid);
  }
  await rm(join(directory, LOCK_FILE), { force: true });
  await forgetRun(directory);
  return true;
}

interface Member {
  readonly pid: number;
  readonly command: string;
}

/** The members of the group that Terraform led, by `ps`, which Linux and macOS share. */
async function processGroup(leader: number): Promise<readonly Member[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,pgid=,command="], { timeout: 10_000 });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, pgid, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(pgid) === leader ? [{ pid: Number(pid), command }] : [];
  });
}

function end(pid: number): void {
  try {
    kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
