import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GitServer, serveGit } from "../../../src/lab/lan/git-server.ts";
import { GitRemote } from "../../fixtures/git-remote.ts";
import { canRunLab } from "../../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../../fixtures/registry.ts";
import { SiteSource } from "../../fixtures/site-source.ts";
import { ClusterWorld, SOURCE } from "./cluster-world.ts";
import { MANIFEST, manifest } from "./world.ts";

const EXECUTABLE = fileURLToPath(new URL("../../../bin/castle.js", import.meta.url));

/** The command as a job of CI runs it: a file with sites alone, no castle, nobody to ask. */
describe.skipIf(!canRunLab)("castle publish without a castle", () => {
  let registry: TestRegistry;
  let remote: GitRemote;
  let server: GitServer;
  let site: SiteSource;
  let folder: string;
  let image: string;

  const castle = (...args: string[]) => castleWith({}, ...args);
  const castleWith = (more: Readonly<Record<string, string>>, ...args: string[]) => {
    const { KUBECONFIG: _, ...rest } = env;
    const options = {
      cwd: folder,
      env: { ...rest, XDG_CONFIG_HOME: folder, ...more },
      extendEnv: false,
      reject: false,
      stdin: "ignore",
    } as const;
    return execa(execPath, [EXECUTABLE, ...args, "-f", "site.yaml"], options);
  };

  beforeAll(async () => {
    registry = await openRegistry();
    remote = await GitRemote.create();
    image = `${new URL(registry.endpoint).host}/tazlab/alone`;
    await remote.commit({ [MANIFEST]: manifest(`${image}:blog-0000000`) });
    site = await SiteSource.create({
      "index.html": "<h1>Alone</h1>\n",
      "about/index.html": "<h1>About</h1>\n",
      // What other builders need lies there and is no page.
      Dockerfile: "FROM scratch\n",
    });
    folder = await mkdtemp(join(tmpdir(), "castle-alone-"));
    const [login, known] = [join(folder, "login"), join(folder, "known")];
    await writeFile(login, "ci:token\nauthor:other\n");
    server = await serveGit({ host: "127.0.0.1", port: 0, login, repositories: remote.folder });
    // Git's own way to a login, as a job has one.
    await mkdir(join(folder, "git"));
    await writeFile(join(folder, "git/config"), `[credential]\n\thelper = store --file='${known}'\n`);
    await writeFile(known, `http://ci:token@127.0.0.1%3a${server.port}\n`, { mode: 0o600 });
    await writeFile(
      join(folder, "site.yaml"),
      `gitops: { repository: "http://127.0.0.1:${server.port}/remote.git", branch: main, path: clusters/fortress }
sites:
  - { name: blog, host: blog.tazlab.net, source: "${site.folder}", image: "${image}" }
`,
    );
  });
  afterAll(async () => {
    await registry?.close();
    await server?.close();
    await remote?.remove();
    await site?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it("says what is missing, and the command that mends it", async () => {
    const { exitCode, stderr } = await castle("publish");
    expect(exitCode).toBe(10);
    expect(stderr).toContain("castle publish --lock");
  });

  it("without a kubeconfig it stops after the push and says so, with the receipt as its output", async () => {
    expect((await castle("publish", "--lock")).exitCode).toBe(0);
    await site.commit({});
    await site.git("push", "-q");
    const { exitCode, stdout } = await castle("publish", "--auto-rollback", "-o", "json");
    expect(exitCode).toBe(0);
    const receipt: unknown = JSON.parse(stdout);
    expect(receipt).toMatchObject({
      kind: "Released",
      outcome: "committed",
      pods: [],
      manifests: { pushed: true },
      phases: expect.arrayContaining([
        expect.objectContaining({
          phase: "rollout",
          outcome: "skipped",
          detail: expect.stringContaining("kubeconfig"),
        }),
      ]),
    });
    expect(await remote.git("show", `main:${MANIFEST}`)).toMatch(
      new RegExp(` image: ${image}:blog-[0-9a-f]{12}@sha256:[0-9a-f]{64} #`),
    );
    const again = await castle("publish");
    expect(again.stdout).toMatch(/is committed \([0-9a-f]{12}\), not verified: there is no kubeconfig/);
    expect(again.stdout).toContain("castle publish --resume");
  });

  it("--resume has nobody to ask", async () => {
    const { exitCode, stderr } = await castle("publish", "--resume");
    expect(exitCode).toBe(50);
    expect(stderr).toMatch(/There is no kubeconfig[\s\S]*is committed .*not verified/);
  });

  it("with a kubeconfig asks that cluster before anything is changed, and says what follows what there", async () => {
    const cluster = await ClusterWorld.open();
    try {
      await site.commit({ "index.html": "<h1>Not alone</h1>\n" });
      await site.git("push", "-q");
      const kubeconfig = join(folder, "kubeconfig");
      await writeFile(kubeconfig, cluster.server.kubeconfig.reveal(), { mode: 0o600 });
      const before = await remote.git("rev-parse", "main");
      const strange = await castleWith({ KUBECONFIG: kubeconfig }, "publish");
      expect(strange.exitCode).toBe(10);
      expect(strange.stderr).toMatch(
        /No GitRepository of the cluster follows http:.*; there are GitRepository flux-system\/flux-system https:\/\/git\.lan\/k8s\.git/,
      );
      // The same Flux, once it follows the repository that the file names; it is suspended, so that nobody waits for it.
      const url = `http://127.0.0.1:${server.port}/remote.git`;
      await cluster.patch(SOURCE, { spec: { url, suspend: true } });
      const suspended = await castleWith({ KUBECONFIG: kubeconfig }, "publish");
      expect(suspended.exitCode).toBe(10);
      expect(suspended.stderr).toMatch(/flux-system\/flux-system is suspended[\s\S]*nothing was changed/);
      expect(await remote.git("rev-parse", "main")).toBe(before);
    } finally {
      await cluster.close();
    }
  });

  it("writes a Dockerfile that names base and builder by what castle.lock pins", async () => {
    expect((await castle("publish", "--dockerfile")).exitCode).toBe(0);
    const status = await site.git("status", "--porcelain");
    expect(status).toContain("M Dockerfile");
    expect(status).toContain("?? .dockerignore");
    expect((await castle("publish", "--dockerfile", "-o", "json")).stdout).not.toContain('"changed": true');
  });
});
