import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../src/support/run.ts";
import { calledIn, killedAt, type OutsideCall, recording } from "../fixtures/outside-calls/outside-calls.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { BlogCastle, type Released } from "./blog-castle.ts";
import { CastleCommand } from "./castle-command.ts";
import { Seed } from "./seed.ts";

const seed = new Seed(process.env["CASTLE_TEST_SEED"]);

/** One castle, and the example blog on it: published, changed, published, taken back. */
describe.skipIf(!canRunLab)(`a blog on a castle in the lab (CASTLE_TEST_SEED=${seed.value})`, () => {
  let castle: CastleCommand;
  let blog: BlogCastle;
  let folder: string;
  let first: Released;
  let second: Released;
  let calls: readonly OutsideCall[];

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-publish");
    folder = await mkdtemp(join(tmpdir(), "castle-calls-"));
    blog = await BlogCastle.raise(castle);
  });
  afterAll(async () => {
    await castle.remove();
    await rm(folder, { recursive: true, force: true });
  });

  let failed: string | undefined;
  beforeEach(() => {
    if (failed !== undefined) throw new Error(`the castle was left by a test that failed: ${failed}`);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") failed ??= task.name;
  });

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
    const file = join(folder, "calls");
    const said = await blog.publishWith(recording(file));
    calls = await calledIn(file);
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

  it("killed at a call to others, run again: one tag, one commit, one rollout", async () => {
    const commit = await blog.write("Killed once");
    const before = await blog.rollouts();
    const call = calls[seed.next(calls.length)] ?? "";
    const killed = await blog.publishWith(killedAt(call));
    expect({ call, exitCode: killed.exitCode }).toEqual({ call, exitCode: 128 });
    const { tag } = await blog.publish();
    expect(await blog.traces(commit)).toEqual({ commits: 1, tags: [tag] });
    expect(await blog.rollouts()).toBe(before + 1);
  });

  it("castle up keeps the release, and the cluster has no credential of where the blog comes from", async () => {
    const { digest } = await blog.publish();
    await castle.run("up");
    expect((await blog.publish("--resume")).digest).toBe(digest);
    const secrets = await castle.kubectl("get", "secrets,configmaps", "-A", "-o", "json");
    const decoded = [...secrets.matchAll(/"[A-Za-z0-9+/=]{8,}"/g)].map(([text]) =>
      Buffer.from(text, "base64").toString(),
    );
    const telling = ["blog-src", blog.author.token, blog.remote];
    expect([secrets, ...decoded].filter((text) => telling.some((word) => text.includes(word)))).toEqual([]);
    // What it does have opens nothing of the blog's.
    const { username, token } = blog.lab.descriptor.lan.git ?? { username: "", token: "" };
    const url = blog.remote.replace("//", `//${username}:${token}@`);
    await expect(run("git", ["ls-remote", url], { timeout: 30_000 })).rejects.toThrow("403");
  });

  it("with both git servers stopped, all its pods deleted come back and serve", async () => {
    const wake = await blog.freezeGit();
    try {
      await castle.kubectl("-n", "site-blog", "delete", "pods", "--all", "--wait=true");
      await castle.kubectl("-n", "site-blog", "rollout", "status", "deployment/web", "--timeout=120s");
      const { stdout } = await run("curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", first.url]);
      expect(stdout).toBe("200");
      // Nobody answered for either of the two all the while.
      const asked = run("git", ["ls-remote", blog.remote], {
        timeout: 1_000,
        env: { GIT_TERMINAL_PROMPT: "0" },
      });
      await expect(asked).rejects.toMatchObject({ code: "command/timed-out" });
    } finally {
      wake();
    }
  });
});
