import { kill, pid } from "node:process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { poll } from "../support/poll.ts";
import { run } from "../support/run.ts";
import { writeFileAtomic } from "../support/write-file.ts";

const PID_FILE = "terraform.pid";
const LOCK_FILE = ".terraform.tfstate.lock.info";

/** Milliseconds that a Terraform without its castle gets to save what it has made. */
const GRACE = 25_000;

/** Remembers which process works in the folder, so that a later run can tell a living one from a dead one's leftovers. */
export async function recordRun(directory: string, terraform: number): Promise<void> {
  await writeFileAtomic(join(directory, PID_FILE), `${terraform} ${pid}\n`);
}

export async function forgetRun(directory: string): Promise<void> {
  await rm(join(directory, PID_FILE), { force: true });
}

/**
 * Clears up after a run that was killed: a Terraform that outlived its castle is asked to end and to save its state,
 * a provider that outlived Terraform is killed, for it would go on creating machines that nobody remembers, and the
 * lock file goes. A run whose castle lives is left alone; Terraform's own lock makes the next one wait for it.
 * @returns whether something was cleared up
 */
export async function clearEarlierRun(directory: string, grace = GRACE): Promise<boolean> {
  const text = await readFile(join(directory, PID_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return false;
  const [terraform = 0, castle = 0] = text.trim().split(" ").map(Number);
  const leader = (await processGroup(terraform)).find((member) => member.pid === terraform);
  if (leader !== undefined && /terraform|tofu/.test(leader.command)) {
    if (leader.parent === castle) return false;
    await endOrphan(terraform, grace);
  }
  for (const member of await processGroup(terraform)) {
    if (member.command.includes("terraform-provider-proxmox")) send(member.pid, "SIGKILL");
  }
  await rm(join(directory, LOCK_FILE), { force: true });
  await forgetRun(directory);
  return true;
}

async function endOrphan(terraform: number, grace: number): Promise<void> {
  send(terraform, "SIGINT");
  const gone = async (): Promise<true | undefined> => {
    const group = await processGroup(terraform);
    return group.some((member) => member.pid === terraform) ? undefined : true;
  };
  const stuck = new Error("it does not end");
  try {
    await poll(gone, { every: 100, within: grace, onTimeout: () => stuck });
  } catch (error) {
    if (error !== stuck) throw error;
    send(-terraform, "SIGKILL");
  }
}

interface Member {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** The members of the group that Terraform led, by `ps`, which Linux and macOS share. */
async function processGroup(leader: number): Promise<readonly Member[]> {
  if (!Number.isInteger(leader) || leader <= 1) return [];
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid=,pgid=,stat=,command="], { timeout: 10_000 });
  return stdout.split("\n").flatMap((line) => {
    const [, member, parent, group, stat = "", command = ""] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    // A zombie has ended; only its parent has not looked yet.
    if (Number(group) !== leader || stat.startsWith("Z")) return [];
    return [{ pid: Number(member), parent: Number(parent), command }];
  });
}

function send(target: number, signal: "SIGINT" | "SIGKILL"): void {
  try {
    kill(target, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}
