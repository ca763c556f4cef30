import { openSource, type SourceAccess } from "../source/source-repository.ts";
import type { Ancestry } from "./delivery.ts";

/** Which of the site's commits comes before which, asked from its repository. */
export function sourceAncestry(access: SourceAccess): Ancestry {
  const opened = openSource(access);
  opened.catch(() => {});
  return async (one, other) => {
    const { git } = await opened;
    const known = await Promise.all(
      [one, other].map((digits) => git.call(["rev-parse", "-q", "--verify", `${digits}^{commit}`])),
    );
    if (known.some(({ exitCode }) => exitCode !== 0)) return "unknown";
    const { exitCode } = await git.call(["merge-base", "--is-ancestor", one, other]);
    return exitCode === 0 ? "ancestor" : "other";
  };
}
