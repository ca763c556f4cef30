import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pid } from "node:process";
import { CastleError } from "../../errors/castle-error.ts";
import { identify, isAlive, processIdentityShape } from "../../support/process-identity.ts";

/**
 * Runs the action while no other process builds, pulls or imports parts in the same store. A lock whose
 * holder has died (no such process, or another one under its number) is taken over.
 * @throws CastleError parts/busy
 */
export async function withStoreLock<T>(root: string, action: () => Promise<T>): Promise<T> {
  await mkdir(root, { recursive: true });
  const file = join(root, "lock");
  const mine = `${JSON.stringify({ ...(await identify(pid)), mark: randomBytes(6).toString("hex") })}\n`;
  const written = join(root, `lock.${randomBytes(6).toString("hex")}`);
  await writeFile(written, mine);
  try {
    await acquire(file, written);
  } finally {
    await rm(written, { force: true });
  }
  try {
    return await action();
  } finally {
    if ((await readFile(file, "utf8").catch(() => "")) === mine) await rm(file, { force: true });
  }
}

/** A link appears with its content, so nobody ever reads a half-written lock. */
async function acquire(file: string, written: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await link(written, file);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const held = await readFile(file, "utf8").catch(() => undefined);
    if (held === undefined) continue;
    const holder = holderOf(held);
    if (holder !== undefined && (await isAlive(holder))) {
      throw new CastleError("parts/busy", {
        message: `process ${holder.pid} is working on the parts in ${file.replace(/\/lock$/, "")}`,
        hint: `wait for it, or end it: kill ${holder.pid}`,
      });
    }
    await removeStale(file, held);
  }
  throw new CastleError("parts/busy", {
    message: `the lock ${file} changes hands too often`,
    hint: "try again",
  });
}

/** Undefined: nobody that could still be there. */
function holderOf(held: string) {
  try {
    return processIdentityShape.safeParse(JSON.parse(held)).data;
  } catch {
    return undefined;
  }
}

/** Moves the dead holder's lock away; if another taker was faster and the lock is a live one, puts it back. */
async function removeStale(file: string, held: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, "utf8")) !== held) await link(aside, file).catch(() => undefined);
  } catch {
    // Somebody else moved it first: the next attempt sees theirs.
  } finally {
    await rm(aside, { force: true });
  }
}
