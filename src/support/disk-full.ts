import { CastleError } from "../errors/castle-error.ts";

/** What to do where a disk is full. */
export const FREE_DISK = "free some disk, then run the same command again";

/** Whether an error, or what caused it, is that a disk or a user's share of it had no room left. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof CastleError ? DISK_FULL.has(cause.code) : "code" in cause && isErrno(cause.code)) {
      return true;
    }
  }
  return false;
}

const DISK_FULL: ReadonlySet<string> = new Set(["command/disk-full", "parts/disk-full"]);

function isErrno(code: unknown): boolean {
  return code === "ENOSPC" || code === "EDQUOT";
}
