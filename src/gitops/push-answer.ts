import { CastleError } from "../errors/castle-error.ts";
import { type RemoteName, remoteFailure } from "./failure.ts";
import type { GitResult } from "./git.ts";

/** `behind`: somebody else moved the branch first. */
export type PushAnswer =
  | { readonly kind: "accepted" }
  | { readonly kind: "behind" }
  | { readonly kind: "declined"; readonly reason: CastleError };

const BEHIND =
  /stale info|fetch first|non-fast-forward|cannot lock ref|incorrect old value|reference already exists|failed to update ref|needs force/i;

/**
 * Reads what `git push --porcelain` of one ref said: "FLAG\tFROM:TO\tSUMMARY (REASON)".
 * @throws CastleError gitops/… if the push did not come to a verdict
 */
export function pushAnswer(remote: RemoteName, result: GitResult): PushAnswer {
  const lines = result.stdout.toString("utf8").split("\n");
  const verdict = lines.find((line) => /^[ +*=!-]\t/.test(line));
  if (verdict === undefined) throw remoteFailure(remote, result);
  if (!verdict.startsWith("!")) {
    if (result.exitCode === 0) return { kind: "accepted" };
    throw remoteFailure(remote, result);
  }
  const summary = verdict.split("\t")[2] ?? "";
  if (BEHIND.test(summary)) return { kind: "behind" };
  if (!summary.startsWith("[remote rejected]") && !summary.startsWith("[rejected]")) {
    throw remoteFailure(remote, { ...result, stderr: `${result.stderr}\n${summary}` });
  }
  const said = result.stderr
    .split("\n")
    .flatMap((line) => /^remote: ?(.*\S)/.exec(line)?.[1] ?? [])
    .slice(0, 8);
  return {
    kind: "declined",
    reason: new CastleError("gitops/declined", {
      message: [`${remote.url} declined the push to ${remote.branch}: ${summary}`, ...said].join("\n"),
      hint: `let castle's user push to ${remote.branch}, or set gitops.branch to one that it may push to`,
      details: { remote: remote.url, branch: remote.branch, summary },
    }),
  };
}
