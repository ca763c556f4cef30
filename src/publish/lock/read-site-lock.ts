import { CastleError } from "../../errors/castle-error.ts";
import type { SiteLock, SourceFacts } from "../release.ts";
import { openSource, type SourceAccess } from "../source/source-repository.ts";
import { LOCK_FILE, parseSiteLock } from "./site-lock.ts";

/**
 * The lock as the commit has it: what lies in the work tree does not count.
 * @throws CastleError source/lock-missing, source/lock-invalid
 */
export async function readSiteLock(
  source: SourceFacts,
  access: Omit<SourceAccess, "folder">,
): Promise<SiteLock> {
  const repository = await openSource({ ...access, folder: source.folder });
  const { prefix, git } = repository;
  const { exitCode, stdout } = await git.call(["show", `${source.commit}:${prefix}${LOCK_FILE}`]);
  const short = source.commit.slice(0, 12);
  if (exitCode !== 0) {
    throw new CastleError("source/lock-missing", {
      message: `commit ${short} of ${source.folder} has no ${LOCK_FILE}; nothing was built or pushed`,
      hint: `castle publish --lock, then: git add ${LOCK_FILE} && git commit && git push`,
    });
  }
  const parsed = parseSiteLock(stdout.toString("utf8"));
  if (parsed.ok) return parsed.lock;
  const faults = parsed.faults.map(({ line, message }) => `${LOCK_FILE}:${line}: ${message}`);
  throw new CastleError("source/lock-invalid", {
    message: `${LOCK_FILE} of commit ${short} has faults: ${faults.join("; ")}. Nothing was built or pushed`,
    hint: `mend it, or castle publish --lock; then commit and push`,
    details: { faults: parsed.faults },
  });
}
