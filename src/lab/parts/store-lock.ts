import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { withProcessLock } from "../../support/process-lock.ts";

/**
 * Runs the action while no other process builds, pulls or imports parts in the same store.
 * @throws CastleError parts/busy
 */
export async function withStoreLock<T>(root: string, action: () => Promise<T>): Promise<T> {
  await mkdir(root, { recursive: true });
  const path = join(root, "lock");
  const refused = (holder: { process: { pid: number } } | undefined) =>
    holder === undefined
      ? new CastleError("parts/busy", {
          message: `the lock ${path} changes hands too often`,
          hint: "try again",
        })
      : new CastleError("parts/busy", {
          message: `process ${holder.process.pid} is working on the parts in ${root}`,
          hint: `wait for it, or end it: kill ${holder.process.pid}`,
        });
  return withProcessLock({ path, work: "parts", refused }, action);
}
