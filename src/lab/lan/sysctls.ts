import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../support/write-file.ts";
import { listLanNamespaces } from "./namespace.ts";
import { parsedJson } from "../../support/json.ts";

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

/**
 * Raises what must be raised, and first writes down what was found. The note lies in two places: beside the other labs'
 * (one that comes second must not take the raised value for the original), and in the lab's own state (the shared
 * folder may be wiped while the values stay). It counts until the machine boots again, which resets the values itself.
 */
export async function raiseSysctls(options: SysctlOptions): Promise<void> {
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
export async function restoreSysctls(
  options: SysctlOptions,
  otherLabs: () => Promise<readonly string[]> = listLanNamespaces,
): Promise<void> {
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
