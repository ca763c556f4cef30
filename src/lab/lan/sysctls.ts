import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../support/write-file.ts";
import { listLanNamespaces } from "./namespace.ts";
import { parsedJson } from "../../support/json.ts";
import { poll } from "../../support/poll.ts";
import { withProcessLock } from "../../support/process-lock.ts";

/** A kernel setting of the whole machine that a lab changes. */
interface GuardedSysctl {
  readonly key: string;
  /** Raised to this if it is lower; undefined: only remembered, because machines change it by themselves. */
  readonly atLeast?: number;
}

const guardedSysctls: readonly GuardedSysctl[] = [
  // Every kubelet, containerd and CNI watches files: 128, the default, is too few for five machines.
  { key: "fs.inotify.max_user_instances", atLeast: 8192 },
  // A kubelet sets these to what it wants, and they belong to the machine, not to a namespace.
  { key: "vm.overcommit_memory" },
  { key: "vm.panic_on_oom" },
  { key: "kernel.panic" },
  { key: "kernel.panic_on_oops" },
  { key: "kernel.keys.root_maxkeys" },
  { key: "kernel.keys.root_maxbytes" },
];

export interface SysctlOptions {
  /** The lab's state folder. */
  readonly state: string;
  /** Folder shared by all labs of the machine; it may live and die with the machine's boot. */
  readonly shared: string;
  /** Where the kernel's settings are; /proc/sys unless told. */
  readonly root?: string;
  readonly sysctls?: readonly GuardedSysctl[];
}

const recordShape = z.object({ boot: z.string(), values: z.record(z.string(), z.string()) });
type SysctlRecord = z.infer<typeof recordShape>;

/** Milliseconds: a look at a few files is over in a moment. */
const TURN = { every: 20, within: 10_000 } as const;

/**
 * One lab at a time: one that comes while the last one puts the values back would lose them, or take raised ones for the
 * original.
 */
function inTurn<T>({ shared }: SysctlOptions, action: () => Promise<T>): Promise<T> {
  class Held extends Error {}
  const path = join(shared, "sysctls.lock");
  const lock = { path, work: "kernel settings", refused: () => new Held(`${path} is held by another lab`) };
  const attempt = async () => {
    try {
      // Whoever goes takes the empty folder along.
      await mkdir(shared, { recursive: true, mode: 0o700 });
      return { done: await withProcessLock(lock, action) };
    } catch (error) {
      if (error instanceof Held || (error instanceof Error && "code" in error && error.code === "ENOENT")) {
        return undefined;
      }
      throw error;
    }
  };
  return poll(attempt, { ...TURN, onTimeout: () => new Held(`${path} is held by another lab`) }).then(
    ({ done }) => done,
  );
}

/**
 * Raises what must be raised, and first writes down what was found. The note lies in two places: beside the other labs'
 * (one that comes second must not take the raised value for the original), and in the lab's own state (the shared
 * folder may be wiped while the values stay). It counts until the machine boots again, which resets the values itself. Call it when the lab's namespace is there, which tells others that it needs them.
 */
export function raiseSysctls(options: SysctlOptions): Promise<void> {
  return inTurn(options, () => raise(options));
}

async function raise(options: SysctlOptions): Promise<void> {
  const { root = "/proc/sys", sysctls = guardedSysctls } = options;
  const found: Record<string, string> = {};
  for (const { key } of sysctls) {
    const value = await readSysctl(root, key);
    if (value !== undefined) found[key] = value;
  }
  const boot = await bootId(root);
  const known = (await readRecord(options.shared, boot)) ?? (await readRecord(options.state, boot));
  const record: SysctlRecord = { boot, values: { ...found, ...known?.values } };
  await writeRecord(options.state, record);
  // Whoever is first writes; a lab that lost the race reads what the first one found.
  const mine = await claim(options.shared, record, boot);
  if (mine !== record) await writeRecord(options.state, mine);
  for (const { key, atLeast } of sysctls) {
    const value = found[key];
    if (atLeast !== undefined && value !== undefined && Number(value) < atLeast) {
      await writeFile(pathOf(root, key), String(atLeast));
    }
  }
}

/** Puts the remembered values back unless another lab is still up. Call it when the lab's namespace is gone. */
export function restoreSysctls(
  options: SysctlOptions,
  otherLabs: () => Promise<readonly string[]> = listLanNamespaces,
): Promise<void> {
  return inTurn(options, () => restore(options, otherLabs));
}

async function restore(options: SysctlOptions, otherLabs: () => Promise<readonly string[]>): Promise<void> {
  const { root = "/proc/sys" } = options;
  const boot = await bootId(root);
  if ((await otherLabs()).length === 0) {
    const record = (await readRecord(options.shared, boot)) ?? (await readRecord(options.state, boot));
    for (const [key, value] of Object.entries(record?.values ?? {})) {
      if ((await readSysctl(root, key)) !== value) await writeFile(pathOf(root, key), value);
    }
    await rm(recordPath(options.shared), { force: true });
  }
  await rm(recordPath(options.state), { force: true });
}

function pathOf(root: string, key: string): string {
  return join(root, ...key.split("."));
}

function recordPath(folder: string): string {
  return join(folder, "sysctls.json");
}

async function readSysctl(root: string, key: string): Promise<string | undefined> {
  const text = await readFile(pathOf(root, key), "utf8").catch(() => undefined);
  return text?.trim();
}

async function bootId(root: string): Promise<string> {
  return (await readSysctl(root, "kernel.random.boot_id")) ?? "unknown";
}

async function readRecord(folder: string, boot: string): Promise<SysctlRecord | undefined> {
  const text = await readFile(recordPath(folder), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const record = parseRecord(text);
  return record?.boot === boot ? record : undefined;
}

function parseRecord(text: string): SysctlRecord | undefined {
  return recordShape.safeParse(parsedJson(text)).data;
}

async function writeRecord(folder: string, record: SysctlRecord): Promise<void> {
  await writeFileAtomic(recordPath(folder), `${JSON.stringify(record, undefined, 2)}\n`);
}

async function claim(folder: string, record: SysctlRecord, boot: string): Promise<SysctlRecord> {
  const path = recordPath(folder);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(path, `${JSON.stringify(record, undefined, 2)}\n`, { flag: "wx", mode: 0o600 });
    return record;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const theirs = await readRecord(folder, boot);
  if (theirs !== undefined) return theirs;
  // A note from before the last boot, or a half-written one, is worth nothing.
  await writeRecord(folder, record);
  return record;
}
