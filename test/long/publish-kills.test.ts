import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BlogCastle } from "../e2e/blog-castle.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { chosenMoments } from "../fixtures/chosen-moments.ts";
import { calledIn, killedAt, type OutsideCall, recording } from "../fixtures/outside-calls/outside-calls.ts";
import { canRunLab } from "../fixtures/parts.ts";

/** Castles that publish at once would only wait for each other: one castle, one kill after the other. */
describe.skipIf(!canRunLab)("castle publish, killed at every call to others", () => {
  let castle: CastleCommand;
  let blog: BlogCastle;
  let folder: string;
  let calls: readonly OutsideCall[];

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-killed");
    folder = await mkdtemp(join(tmpdir(), "castle-calls-"));
    blog = await BlogCastle.raise(castle);
    await blog.publish();
    await blog.write("Recorded");
    const file = join(folder, "calls");
    const { exitCode, stderr } = await blog.publishWith(recording(file));
    if (exitCode !== 0) throw new Error(stderr);
    calls = await calledIn(file);
  });
  afterAll(async () => {
    await castle.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it("talks to Git, Hugo, registry, Flux, pods and the site's address", () => {
    const all = calls.join("\n");
    for (const call of [
      "begins git push",
      "ended git push",
      "begins hugo",
      "ended PUT /v2/t-killed/blog/manifests/",
      "begins PATCH /apis/source.toolkit.fluxcd.io",
      "ended GET /apis/apps/v1/namespaces/site-blog/deployments/web",
      "begins GET /api/v1/namespaces/site-blog/pods/web",
      "ended GET /FILE",
    ]) {
      expect(all).toContain(call);
    }
  });

  it("run again: one tag, one commit, one rollout each time", async () => {
    const wrong: unknown[] = [];
    const moments = new Set(chosenMoments(calls.length));
    const chosen = [...calls.entries()].filter(([index]) => moments.has(index));
    expect(chosen).not.toHaveLength(0);
    for (const [index, call] of chosen) {
      const commit = await blog.write(`Killed ${index}`);
      const before = await blog.rollouts();
      const { exitCode } = await blog.publishWith(killedAt(call));
      const { tag } = await blog.publish();
      const found = {
        killed: exitCode === 128,
        ...(await blog.traces(commit)),
        rollouts: await blog.rollouts(),
      };
      const expected = { killed: true, commits: 1, tags: [tag], rollouts: before + 1 };
      const isRight = JSON.stringify(found) === JSON.stringify(expected);
      if (!isRight) wrong.push({ call, found, expected });
      // Told at once: a part that is cut off has shown as much as it tells.
      console.log(
        `${index} of ${calls.length}, ${call}: ${isRight ? "it converged" : JSON.stringify(found)}`,
      );
    }
    expect(wrong).toEqual([]);
    // A quarter of a minute for each of some eighty calls.
  }, 3_600_000);
});
