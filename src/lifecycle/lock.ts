import { link, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { pid } from "node:process";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { identify, isAlive, processIdentityShape } from "../support/process-identity.ts";

const holderSchema = z.object({
  process: processIdentityShape,
  host: z.string(),
  verb: z.string(),
  since: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

/**
 * Runs the work as the only changer of this castle on this machine. A holder that has died is recognised (its pid
 * is gone or belongs to a younger process) and its lock is taken over.
 * @throws CastleError lifecycle/locked
 */
export async function withLock<T>(
  path: string,
  verb: string,
  now: () => Date,
  work: () => Promise<T>,
): Promise<T> {
  const process = await identify(pid);
  if (process === undefined) throw new Error("a process that runs can be identified");
  await acquire(path, { process, host: hostname(), verb, since: now().toISOString() });
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string, holder: Holder): Promise<void> {
  // Written whole beside it and linked into place: a lock file is never seen half written.
  const draft = `${path}.${holder.process.pid}`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        await link(draft, path);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const other = await readHolder(path);
      if (other !== undefined && (await isThere(other))) throw locked(path, other);
      await rm(path, { force: true });
    }
    throw new CastleError("lifecycle/locked", { message: `${path} is taken by others again and again` });
  } finally {
    await rm(draft, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Nobody here can tell whether a process of another machine has died: it counts as alive. */
async function isThere(holder: Holder): Promise<boolean> {
  return holder.host !== hostname() || (await isAlive(holder.process));
}

function locked(path: string, holder: Holder): CastleError {
  return new CastleError("lifecycle/locked", {
    message: `castle ${holder.verb} is at work on this castle: process ${holder.process.pid} on ${holder.host}, since ${holder.since}`,
    hint: `wait for it; if ${holder.host} is gone for good, remove ${path}`,
    details: { ...holder },
  });
}
