import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/support/run.ts";
import { BlogCastle, type Released } from "../e2e/blog-castle.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { canRunLab } from "../fixtures/parts.ts";

/** What the cluster knows of where a blog comes from, and what it serves while nobody there answers. */
describe.skipIf(!canRunLab)("a blog whose source is away", () => {
  let castle: CastleCommand;
  let blog: BlogCastle;
  let first: Released;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-away");
    blog = await BlogCastle.raise(castle);
    first = await blog.publish();
  });
  afterAll(() => castle.remove());

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
