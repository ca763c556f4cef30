import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canRunLab } from "../fixtures/parts.ts";
import { BlogCastle, type Released } from "../e2e/blog-castle.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { stopAfterFailure } from "../e2e/one-castle.ts";

const NAME = "t-releases";
const QUOTA = "one-more-is-too-many";

/** publish.md's rows that only a cluster that runs pods can show: each test is called as its row. */
describe.skipIf(!canRunLab)("a release that goes wrong in the cluster", () => {
  let castle: CastleCommand;
  let blog: BlogCastle;
  let first: Released;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    blog = await BlogCastle.raise(castle);
    first = await blog.publish();
  });
  afterAll(() => castle.remove());

  stopAfterFailure();

  const kubectl = (...args: string[]) => castle.kubectl("-n", "site-blog", ...args);

  it("quota: 50 at once with the text; --auto-rollback commits forward to the previous release and proves it", async () => {
    await kubectl("create", "quota", QUOTA, "--hard=pods=2");
    const commit = await blog.write("Too many pods");
    const { exitCode, stderr } = await castle.try("publish", "--auto-rollback");
    expect(exitCode).toBe(50);
    expect(stderr).toMatch(
      new RegExp(`exceeded quota: ${QUOTA}[\\s\\S]*Went back: ${first.tag} is live again`),
    );
    await kubectl("delete", "quota", QUOTA);
    expect((await blog.publish("--resume")).digest).toBe(first.digest);
    // The next try, with room for it, is an ordinary publication.
    expect((await blog.publish()).commit).toBe(commit);
  });

  it("someone commits after us: accept descendants that still hold our digest", async () => {
    const commit = await blog.write("Somebody is quick");
    await committedAfterEveryPush();
    const released = await blog.publish();
    expect(released.commit).toBe(commit);
    await blog.manifests(async (git) => {
      expect(await git("log", "-1", "--format=%s")).toBe("Somebody else");
      expect(await git("rev-parse", "HEAD^")).toBe(released.manifests.commit);
    });
  });

  it("Ready, but wrong bytes: 60, name the pod", async () => {
    await blog.manifests(async (git, folder) => {
      const overrides = join(folder, "clusters", NAME, "overrides", "sites");
      await mkdir(overrides, { recursive: true });
      await writeFile(join(overrides, "kustomization.yaml"), otherBytes());
      await git("add", "-A");
      await git("commit", "-q", "-m", "Another page");
      await git("push", "-q", "origin", "HEAD:main");
    });
    await castle.run("reconcile");
    await kubectl("rollout", "status", "deployment/web", "--timeout=120s");
    const { exitCode, stderr } = await castle.try("publish", "--resume");
    expect(exitCode).toBe(60);
    expect(stderr).toMatch(/Pod site-blog\/web-\S+ serves other bytes than the release for \/index\.html/);
  });

  /** The Git server commits something of its own behind the next push to the castle's repository, once. */
  async function committedAfterEveryPush(): Promise<void> {
    const hooks = join(castle.labs.state, "git", "repositories", `${NAME}.git`, "hooks");
    await mkdir(hooks, { recursive: true });
    const hook = join(hooks, "post-receive");
    await writeFile(
      hook,
      `#!/bin/sh
rm -f "$0"
export GIT_AUTHOR_NAME=S GIT_AUTHOR_EMAIL=s@example.org GIT_COMMITTER_NAME=S GIT_COMMITTER_EMAIL=s@example.org
next=$(git commit-tree 'main^{tree}' -p main -m 'Somebody else')
git update-ref refs/heads/main "$next"
`,
    );
    await chmod(hook, 0o755);
    expect(await readFile(hook, "utf8")).toContain("Somebody else");
  }
});

/** The user's own patch of what castle generates: a page of somebody's lies over the release's. */
function otherBytes(): string {
  const page = "<h1>Not of this release</h1>\n";
  const mounts = ["index.html", "index.html.gz"].map((name) => ({
    op: "add",
    path: "/spec/template/spec/containers/0/volumeMounts/-",
    value: { name: "peers", mountPath: `/srv/site/${name}`, subPath: name, readOnly: true },
  }));
  const texts = [
    { op: "add", path: "/data/index.html", value: page },
    { op: "add", path: "/binaryData", value: { "index.html.gz": gzipSync(page).toString("base64") } },
  ];
  return JSON.stringify({
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    patches: [
      { target: { kind: "ConfigMap", name: "web-peers" }, patch: JSON.stringify(texts) },
      { target: { kind: "Deployment", name: "web" }, patch: JSON.stringify(mounts) },
    ],
  });
}
