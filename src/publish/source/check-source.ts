import type { SourceFacts } from "../release.ts";
import { largeFiles } from "./large-file.ts";
import { type SourceFault, sourceError } from "./source-fault.ts";
import { ask, openSource, type SourceAccess, type SourceRepository } from "./source-repository.ts";
import { piecesOf } from "./submodule.ts";
import { followedBy, pushedFaults, upstreamOf } from "./upstream.ts";
import { blindSpots, operationFaults, workTreeFaults } from "./work-tree.ts";

/**
 * Says whether a site can be published from its repository as it is, and what would be. All reasons against it are told
 * at once. Changes nothing there; objects of the remote branch may be fetched.
 * @throws CastleError source/*
 */
export async function checkSource(access: SourceAccess): Promise<SourceFacts> {
  const repository = await openSource(access);
  const folder = `${repository.root}/${repository.prefix}`.replace(/\/$/, "");
  const [head, name] = await Promise.all([headOf(repository), branchName(repository)]);
  if (head === undefined) {
    const message = "it has no commit yet";
    throw sourceError(folder, [{ code: "source/no-commit", message, hint: "git commit" }]);
  }
  const [operations, workTree, branch, content, shallow, warnings] = await Promise.all([
    operationFaults(repository),
    workTreeFaults(repository),
    branchFacts(repository, head.commit, name),
    contentFacts(repository, head.commit, access),
    shallowFaults(repository),
    blindSpots(repository),
  ]);
  const [first, ...others] = [...operations, ...workTree, ...branch.faults, ...shallow, ...content.faults];
  if (first !== undefined) throw sourceError(folder, [first, ...others]);
  const { upstream } = branch;
  if (name === undefined || upstream === undefined) throw new Error("a branch without a fault has its facts");
  return { folder, ...head, branch: name, upstream, bytes: content.bytes, warnings };
}

type Head = Pick<SourceFacts, "commit" | "committedAt" | "subject">;

async function headOf({ git }: SourceRepository): Promise<Head | undefined> {
  const { exitCode, stdout } = await git.call(["log", "-1", "--no-show-signature", "--format=%H%n%ct%n%s"]);
  if (exitCode !== 0) return undefined;
  const [commit = "", seconds = "0", subject = ""] = stdout.toString("utf8").split("\n");
  // Milliseconds would be zeros, and no reader of an OCI annotation wants them.
  const committedAt = new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
  return { commit, committedAt, subject };
}

interface BranchFacts {
  readonly upstream?: SourceFacts["upstream"];
  readonly faults: readonly SourceFault[];
}

/** Undefined: none, a commit is checked out as such. */
async function branchName({ git }: SourceRepository): Promise<string | undefined> {
  const { exitCode, stdout } = await git.call(["symbolic-ref", "-q", "--short", "HEAD"]);
  return exitCode === 0 ? stdout.toString("utf8").trim() : undefined;
}

async function branchFacts(
  repository: SourceRepository,
  commit: string,
  name: string | undefined,
): Promise<BranchFacts> {
  if (name === undefined) {
    const message = `it is on no branch (HEAD is at ${commit.slice(0, 12)})`;
    return { faults: [{ code: "source/detached", message, hint: "git switch BRANCH" }] };
  }
  const followed = await followedBy(repository, name);
  if (followed === undefined) {
    const message = `its branch ${name} follows no branch of a remote`;
    const hint = `git push -u origin ${name}`;
    return { faults: [{ code: "source/no-upstream", message, hint }] };
  }
  const upstream = upstreamOf(repository, followed);
  const faults = await pushedFaults(repository, commit, upstream, followed);
  return { upstream: await upstream, faults };
}

async function contentFacts(
  repository: SourceRepository,
  commit: string,
  access: SourceAccess,
): Promise<Pick<SourceFacts, "bytes"> & { readonly faults: readonly SourceFault[] }> {
  const { pieces, faults } = await piecesOf(repository, commit, access);
  const large = await largeFiles(pieces);
  const sizes = pieces.flatMap(({ entries }) => entries.map(({ size }) => size));
  const bytes = sizes.reduce((sum, size) => sum + size, large.bytes);
  return { bytes, faults: [...faults, ...large.faults] };
}

async function shallowFaults(repository: SourceRepository): Promise<SourceFault[]> {
  const said = await ask(repository, ["rev-parse", "--is-shallow-repository"]);
  if (said.toString("utf8").trim() !== "true") return [];
  return [
    {
      code: "source/shallow",
      message: "it lacks its older commits (a shallow clone)",
      hint: "git fetch --unshallow; in CI, fetch with depth 0",
    },
  ];
}
