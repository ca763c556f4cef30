import { CastleError } from "../errors/castle-error.ts";
import { type LockHolder, withProcessLock } from "../support/process-lock.ts";

/**
 * Runs the work as the only changer of this castle on this machine; the lock of one that has died is taken over.
 * @throws CastleError lifecycle/locked, with who holds it
 */
export async function withLock<T>(path: string, verb: string, work: () => Promise<T>): Promise<T> {
  return withProcessLock({ path, work: verb, refused: (holder) => locked(path, holder) }, work);
}

function locked(path: string, holder: LockHolder | undefined): CastleError {
  if (holder === undefined) {
    return new CastleError("lifecycle/locked", {
      message: `${path} is taken by others again and again`,
      hint: "run the same command again",
    });
  }
  const { work, host, process, user, since } = holder;
  const who = user === undefined ? host : `${user}@${host}`;
  return new CastleError("lifecycle/locked", {
    message: `castle ${work} is at work on this castle: process ${process.pid} of ${who}${since === undefined ? "" : `, since ${since}`}`,
    hint: `wait for it and run the same command again; if ${host} is gone for good, remove ${path}`,
    details: { pid: process.pid, host, verb: work, user, since },
  });
}
