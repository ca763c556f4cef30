import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { getuid, pid } from "node:process";
import { z } from "zod";
import { identify, isAlive, processIdentityShape } from "./process-identity.ts";
import { parsedJson } from "./json.ts";

const holderShape = z.object({
  process: processIdentityShape,
  host: z.string(),
  /** Missing in the locks of older castles. */
  user: z.string().optional(),
  /** ISO 8601 */
  since: z.string().optional(),
  /** What the holder is at, for people: "up". */
  work: z.string(),
  /** Tells two locks of one process apart. */
  mark: z.string(),
});
export type LockHolder = z.infer<typeof holderShape>;

export interface ProcessLock {
  /** The lock file; its folder exists. */
  readonly path: string;
  readonly work: string;
  /** The error for who comes second; undefined: the lock changed hands again and again. */
  readonly refused: (holder: LockHolder | undefined) => Error;
}

/**
 * Runs the action as the only holder of the lock. A holder that has died is recognised (no such process, or another one
 * under its number, or another boot) and its lock is taken over; one on another machine counts as alive.
 */
export async function withProcessLock<T>(lock: ProcessLock, action: () => Promise<T>): Promise<T> {
  const process = await identify(pid);
  if (process === undefined) throw new Error("a process that runs can be identified");
  const since = new Date().toISOString();
  const holder: LockHolder = {
    process,
    host: hostname(),
    user: userName(),
    since,
    work: lock.work,
    mark: mark(),
  };
  const mine = `${JSON.stringify(holder)}\n`;
  // Written whole beside it and linked into place: a lock file is never seen half written.
  const draft = `${lock.path}.${mark()}`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    await acquire(lock, draft);
  } finally {
    await rm(draft, { force: true });
  }
  try {
    return await action();
  } finally {
    if ((await readText(lock.path)) === mine) await rm(lock.path, { force: true });
  }
}

/** Who holds the lock and lives; undefined: nobody does. */
export async function lockHolder(path: string): Promise<LockHolder | undefined> {
  const text = await readText(path);
  const holder = text === undefined ? undefined : parseHolder(text);
  return holder !== undefined && (await isThere(holder)) ? holder : undefined;
}

async function acquire({ path, refused }: ProcessLock, draft: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await link(draft, path);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const held = await readText(path);
    if (held === undefined) continue;
    const holder = parseHolder(held);
    if (holder !== undefined && (await isThere(holder))) throw refused(holder);
    await removeStale(path, held);
  }
  throw refused(undefined);
}

/** Moves the dead holder's lock away; if another taker was faster and the lock is a live one, puts it back. */
async function removeStale(path: string, held: string): Promise<void> {
  const aside = `${path}.${mark()}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== held) await link(aside, path).catch(() => undefined);
  } catch {
    // Somebody else moved it first: the next attempt sees theirs.
  } finally {
    await rm(aside, { force: true });
  }
}

/** Nobody here can tell whether a process of another machine has died. */
async function isThere({ host, process }: LockHolder): Promise<boolean> {
  return host !== hostname() || (await isAlive(process));
}

/** Undefined: torn or not ours, so nobody that could still be there. */
function parseHolder(text: string): LockHolder | undefined {
  return holderShape.safeParse(parsedJson(text)).data;
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Of who runs this program; a number where the system knows no name for it. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(getuid?.() ?? "unknown");
  }
}

function mark(): string {
  return randomBytes(6).toString("hex");
}
