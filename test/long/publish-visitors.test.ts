import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BlogCastle, type Released } from "../e2e/blog-castle.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { canRunLab } from "../fixtures/parts.ts";

/** Milliseconds between two visitors: fifty a second, each tenth with all that its page names. */
const PACE = { every: 20, assetsEvery: 10 };

/** Fifty handshakes a second beside a rollout need two idle cores: nothing else may run on this machine. */
describe.skipIf(!canRunLab)("a blog with fifty visitors a second", () => {
  let castle: CastleCommand;
  let blog: BlogCastle;
  let first: Released;
  let second: Released;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-visited");
    blog = await BlogCastle.raise(castle);
    first = await blog.publish();
    await blog.write("Visited");
    second = await blog.publish();
  });
  afterAll(() => castle.remove());

  it("loses none of them in a rollback and a rollout, nor an asset of a page", async () => {
    const leave = await blog.visitors(PACE);
    const back = await blog.rollback(first.commit.slice(0, 7));
    const forward = await blog.publish();
    const { answers, lost, failures } = await leave();
    expect({ lost, failures }).toEqual({ lost: 0, failures: {} });
    expect(answers.length).toBeGreaterThan(50);
    expect([back.digest, forward.digest]).toEqual([first.digest, second.digest]);
  });
});
