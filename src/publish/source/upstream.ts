import { CastleError } from "../../errors/castle-error.ts";
import { remoteFailure } from "../../gitops/failure.ts";
import type { GitResult } from "../../gitops/git.ts";
import type { SourceFacts } from "../release.ts";
import type { SourceFault } from "./source-fault.ts";
import type { SourceRepository } from "./source-repository.ts";

type Upstream = SourceFacts["upstream"];
type Followed = Omit<Upstream, "url">;

/** Milliseconds. */
const ANSWER_DEADLINE = 15_000;
const TRANSFER_DEADLINE = 120_000;

/** The branch of a remote that the branch follows; undefined: none, or one of this same repository. */
export async function followedBy({ git }: SourceRepository, branch: string): Promise<Followed | undefined> {
  // "KEY, a line feed, VALUE, a zero" each: one call for both settings.
  const { stdout } = await git.call(["config", "-z", "--get-regexp", String.raw`^branch\.`]);
  const records = stdout.toString("utf8").split("\0");
  const settings = new Map(records.map((record) => [record.split("\n", 1)[0], record.replace(/^.*\n/, "")]));
  const remote = settings.get(`branch.${branch}.remote`);
  const merge = settings.get(`branch.${branch}.merge`);
  if (remote === undefined || merge === undefined || remote === ".") return undefined;
  return { remote, branch: merge.replace(/^refs\/heads\//, "") };
}

export async function upstreamOf({ git }: SourceRepository, followed: Followed): Promise<Upstream> {
  const named = await git.call(["remote", "get-url", "--", followed.remote]);
  // A branch may also follow an address without a name for it.
  const url = named.exitCode === 0 ? named.stdout.toString("utf8").trim() : followed.remote;
  return { ...followed, url: withoutPassword(url) };
}

/** A password in an address belongs into no message and no receipt. */
function withoutPassword(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

/** Asks the remote itself: what this repository remembers of it may be of yesterday. */
export async function pushedFaults(
  repository: SourceRepository,
  commit: string,
  asked: Promise<Upstream>,
  followed: Followed,
): Promise<SourceFault[]> {
  const [answer, upstream] = await Promise.all([remoteAnswer(repository, followed), asked]);
  try {
    const tip = remoteTip(answer, upstream);
    if (tip === commit) return [];
    if (tip !== undefined && (await isIn(repository, commit, { tip, upstream }))) return [];
    const { remote, branch } = upstream;
    return [
      {
        code: "source/unpushed",
        message: `commit ${commit.slice(0, 12)} is not on ${remote}/${branch}`,
        hint: tip === undefined ? `git push ${remote} HEAD:${branch}` : "git push",
      },
    ];
  } catch (error) {
    if (!(error instanceof CastleError && error.code.startsWith("gitops/"))) throw error;
    return [
      {
        code: "source/remote",
        message: `it cannot be checked whether the commit is pushed: ${error.message}`,
        hint: error.hint ?? `git fetch ${upstream.remote}`,
        cause: error,
      },
    ];
  }
}

function remoteAnswer({ git, root }: SourceRepository, { remote, branch }: Followed): Promise<GitResult> {
  // By its name: the address may hold a password, and argv is world-readable. From the root: it may be a relative path.
  const args = ["-C", root, "ls-remote", "--", remote, `refs/heads/${branch}`];
  return git.call(args, { remote: true, timeout: ANSWER_DEADLINE });
}

function remoteTip(result: GitResult, upstream: Upstream): string | undefined {
  if (result.exitCode !== 0) throw remoteFailure(upstream, result);
  const line = result.stdout
    .toString("utf8")
    .split("\n")
    .find((text) => text.endsWith(`\trefs/heads/${upstream.branch}`));
  return line?.slice(0, line.indexOf("\t"));
}

/** Whether the commit is the tip or one before it; the tip's objects are fetched if they are not here, no ref moves. */
async function isIn(
  { git, root }: SourceRepository,
  commit: string,
  { tip, upstream }: { readonly tip: string; readonly upstream: Upstream },
): Promise<boolean> {
  const here = await git.call(["cat-file", "-e", `${tip}^{commit}`]);
  if (here.exitCode !== 0) {
    const flags = ["--quiet", "--refmap=", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
    const fetched = await git.call(
      ["-C", root, "fetch", ...flags, "--", upstream.remote, `refs/heads/${upstream.branch}`],
      { remote: true, timeout: TRANSFER_DEADLINE },
    );
    if (fetched.exitCode !== 0) throw remoteFailure(upstream, fetched);
  }
  return (await git.call(["merge-base", "--is-ancestor", commit, tip])).exitCode === 0;
}
