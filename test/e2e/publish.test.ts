import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { BlogCastle, type Released } from "./blog-castle.ts";
import { CastleCommand } from "./castle-command.ts";
import { stopAfterFailure } from "./one-castle.ts";

/** One castle, and the example blog on it: published, changed, published, taken back. */
describe.skipIf(!canRunLab)("a blog on a castle in the lab", () => {
  let castle: CastleCommand;
  let blog: BlogCastle;
  let first: Released;
  let second: Released;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-publish");
    blog = await BlogCastle.raise(castle);
  });
  afterAll(async () => {
    await castle.remove();
  });

  stopAfterFailure();

  it("goes online from its commit, proven in every pod, at an address that a browser opens as it stands", async () => {
    first = await blog.publish();
    expect(first).toMatchObject({
      commit: await blog.git("rev-parse", "HEAD"),
      public: { url: `https://${blog.host}/` },
    });
    expect(first.pods).toHaveLength(2);
    for (const { imageId, files } of first.pods) {
      expect(imageId).toContain(first.digest);
      expect(files).toBeGreaterThan(1);
    }
    // As a browser does, curl takes *.localhost for this machine without asking anybody.
    expect(first.url).toMatch(/^http:\/\/blog\.localhost:\d+\/$/);
    const { stdout } = await run("curl", ["-sS", "-i", first.url]);
    expect(stdout).toMatch(new RegExp(`^HTTP/1.1 200[\\s\\S]*castle-release: ${first.tag}`, "i"));
  });

  it("its repository is made once and left alone", async () => {
    const again = JSON.parse(await castle.run("lab", "source", "--from", "/nonexistent", "-o", "json"));
    expect(again).toMatchObject({ made: false, pushed: false, commit: first.commit });
  });

  it("published again, nothing is built, pushed or committed", async () => {
    const again = await blog.publish();
    expect(again).toMatchObject({
      digest: first.digest,
      manifests: { pushed: false, commit: first.manifests.commit },
    });
    expect(again.registry).toBeUndefined();
  });

  it("one page changed: a new release, of which only the changed layers travel", async () => {
    await blog.write("One line more");
    expect((await castle.try("publish", "--plan")).exitCode).toBe(3);
    const said = await castle.try("publish", "-o", "json");
    second = await blog.publish();
    expect(JSON.parse(said.stdout)).toMatchObject({
      digest: second.digest,
      manifests: { previous: `${first.tag}@${first.digest}` },
      registry: { uploaded: { blobs: expect.any(Number) } },
    });
    expect(second.digest).not.toBe(first.digest);
    const { registry } = JSON.parse(said.stdout);
    expect(registry.uploaded.bytes).toBeLessThan((first.registry?.uploaded.bytes ?? 0) / 4);
  });

  it("taken back and published once more, nothing is uploaded", async () => {
    const back = await blog.rollback(first.commit.slice(0, 7));
    const forward = await blog.publish();
    expect(back).toMatchObject({ digest: first.digest, manifests: { pushed: true } });
    expect(back.registry).toBeUndefined();
    expect(forward).toMatchObject({ digest: second.digest, registry: { uploaded: { blobs: 0, bytes: 0 } } });
    expect(await castle.run("releases")).toMatch(new RegExp(`●  ${second.tag} .*\\n +${first.tag} `));
  });

  it("two publications at once: both end well, one commit", async () => {
    await blog.rollback(first.commit);
    const both = await Promise.all([blog.publish(), blog.publish()]);
    expect(new Set(both.map(({ manifests }) => manifests.commit)).size).toBe(1);
  });
});
