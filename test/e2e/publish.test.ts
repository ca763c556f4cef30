import { cp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";

const BLOG = fileURLToPath(new URL("../../examples/blog", import.meta.url));

const releasedShape = z.object({
  kind: z.literal("Released"),
  outcome: z.literal("live"),
  commit: z.string(),
  tag: z.string(),
  digest: z.string(),
  registry: z.object({ uploaded: z.object({ blobs: z.int(), bytes: z.int() }) }).optional(),
  manifests: z.object({ commit: z.string(), pushed: z.boolean(), previous: z.string().optional() }),
  pods: z.array(z.object({ pod: z.string(), imageId: z.string(), files: z.int() })),
  public: z.object({ url: z.string(), files: z.int() }),
  phases: z.array(z.object({ step: z.string(), milliseconds: z.int(), outcome: z.string() })),
});
type Released = z.infer<typeof releasedShape>;

/** One castle, and the example blog on it: published, changed, published, taken back. */
describe.skipIf(!canRunLab)("a blog on a castle in the lab", () => {
  let castle: CastleCommand;
  let first: Released;
  let second: Released;
  const source = () => join(castle.folder, "blog");

  async function git(...args: string[]): Promise<string> {
    const person = ["-c", "user.name=Person", "-c", "user.email=person@example.org"];
    return (await run("git", [...person, "-C", source(), ...args])).stdout.trim();
  }

  async function commit(message: string): Promise<void> {
    await git("add", "-A");
    await git("commit", "-q", "-m", message);
    await git("push", "-q", "origin", "HEAD:main");
  }

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-publish");
    await castle.spec("gitops: {}\n");
    await castle.run("up", "--install-tools");
    const remote = join(castle.folder, "blog-src.git");
    await run("git", ["init", "-q", "--bare", "-b", "main", remote]);
    await cp(BLOG, source(), { recursive: true });
    await run("git", ["init", "-q", "-b", "main", source()]);
    await git("remote", "add", "origin", remote);
    await castle.run("publish", "--lock");
    await commit("The blog");
    await git("branch", "-q", "--set-upstream-to=origin/main");
  });
  afterAll(() => castle.remove());

  let failed: string | undefined;
  beforeEach(() => {
    if (failed !== undefined) throw new Error(`the castle was left by a test that failed: ${failed}`);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") failed ??= task.name;
  });

  it("goes online from its commit, proven in every pod and at its address", async () => {
    first = await castle.ask(releasedShape, "publish");
    expect(first).toMatchObject({
      commit: await git("rev-parse", "HEAD"),
      public: { url: "https://blog.t-publish.lan/" },
    });
    expect(first.pods).toHaveLength(2);
    for (const { imageId, files } of first.pods) {
      expect(imageId).toContain(first.digest);
      expect(files).toBeGreaterThan(1);
    }
  });

  it("published again, nothing is built, pushed or committed", async () => {
    const again = await castle.ask(releasedShape, "publish");
    expect(again).toMatchObject({
      digest: first.digest,
      manifests: { pushed: false, commit: first.manifests.commit },
    });
    expect(again.registry).toBeUndefined();
  });

  it("one page changed: a new release, of which only the changed layers travel", async () => {
    const names = await readdir(join(source(), "content"), { recursive: true });
    const post = names.find((name) => name.endsWith(".md")) ?? "";
    await writeFile(join(source(), "content", post), "\nOne line more.\n", { flag: "a" });
    expect((await castle.try("publish", "--plan")).exitCode).toBe(10);
    await commit("One line more");
    expect((await castle.try("publish", "--plan")).exitCode).toBe(3);
    second = await castle.ask(releasedShape, "publish");
    expect(second.digest).not.toBe(first.digest);
    expect(second.manifests.previous).toBe(`${first.tag}@${first.digest}`);
    expect(second.registry?.uploaded.bytes).toBeLessThan((first.registry?.uploaded.bytes ?? 0) / 4);
  });

  it("goes back by its commit without a byte to the registry, and forward again", async () => {
    const back = await castle.ask(releasedShape, "rollback", first.commit.slice(0, 7));
    expect(back).toMatchObject({ digest: first.digest, manifests: { pushed: true } });
    expect(back.registry).toBeUndefined();
    const forward = await castle.ask(releasedShape, "publish");
    expect(forward).toMatchObject({ digest: second.digest, registry: { uploaded: { blobs: 0, bytes: 0 } } });
    expect(await castle.run("releases")).toMatch(new RegExp(`●  ${second.tag} .*\\n +${first.tag} `));
  });

  it("two publications at once: both end well, one commit", async () => {
    await castle.ask(releasedShape, "rollback", first.commit);
    const both = await Promise.all([
      castle.ask(releasedShape, "publish"),
      castle.ask(releasedShape, "publish"),
    ]);
    expect(new Set(both.map(({ manifests }) => manifests.commit)).size).toBe(1);
  });

  it("castle up keeps the release, and the cluster knows nothing of where the blog comes from", async () => {
    await castle.run("up");
    expect((await castle.ask(releasedShape, "publish", "--resume")).digest).toBe(second.digest);
    const secrets = await castle.kubectl("get", "secrets", "-A", "-o", "json");
    const decoded = [...secrets.matchAll(/"[A-Za-z0-9+/=]{8,}"/g)].map(([text]) =>
      Buffer.from(text, "base64").toString(),
    );
    expect([secrets, ...decoded].filter((text) => text.includes("blog-src"))).toEqual([]);
  });

  it("comes back with its source gone and all its pods deleted", async () => {
    await rm(join(castle.folder, "blog-src.git"), { recursive: true });
    await castle.kubectl("-n", "site-blog", "delete", "pods", "--all", "--wait=true");
    await castle.kubectl("-n", "site-blog", "rollout", "status", "deployment/web", "--timeout=120s");
    expect((await castle.ask(releasedShape, "publish", "--resume")).digest).toBe(second.digest);
  });
});
