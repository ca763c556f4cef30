import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GitLogin, gitProgram, type GitLogins } from "../../../src/lab/lan/git-program.ts";
import { type GitServer, serveGit } from "../../../src/lab/lan/git-server.ts";
import { checkSource } from "../../../src/publish/source/check-source.ts";
import { ensureRepository } from "../../../src/publish/source/new-repository.ts";
import { run } from "../../../src/support/run.ts";
import { Secret } from "../../../src/support/secret.ts";
import { gitEnvironment } from "../../fixtures/git-remote.ts";

describe("a site's repository on the lab's Git server", () => {
  let home: string;
  let server: GitServer;
  let logins: GitLogins;
  const folder = () => join(home, "blog-src");

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "castle-source-"));
    const program = await gitProgram({
      agent: ["agent"],
      host: "127.0.0.1",
      port: 0,
      folder: join(home, "git"),
    });
    logins = program.logins;
    await open();
    await run("mkdir", ["-p", join(home, "from/content"), join(home, "from/.git")]);
    await writeFile(join(home, "from/content/post.md"), "Text\n");
    await writeFile(join(home, "from/.git/HEAD"), "of another repository\n");
  });
  afterEach(async () => {
    await server.close();
    await rm(home, { recursive: true, force: true });
  });

  async function open(): Promise<void> {
    const [login, repositories] = [join(home, "git/login"), join(home, "git/repositories")];
    await run("mkdir", ["-p", repositories]);
    server = await serveGit({ host: "127.0.0.1", port: 0, login, repositories });
  }

  const url = () => `http://127.0.0.1:${server.port}/sources/blog-src.git`;
  const ensure = () =>
    ensureRepository({
      folder: folder(),
      from: join(home, "from"),
      remote: { url: url(), username: "author", password: new Secret(logins.author.token) },
      complete: (workTree) => writeFile(join(workTree, "castle.lock"), "layout: 1\n"),
      environment: gitEnvironment,
      signal: new AbortController().signal,
    });
  const git = async (...args: string[]) => {
    const person = ["-c", "user.name=P", "-c", "user.email=p@example.org"];
    const env = { ...gitEnvironment, GIT_TERMINAL_PROMPT: "0" };
    return (await run("git", [...person, "-C", folder(), ...args], { env })).stdout;
  };

  it("is made whole, pushed, and good to publish from", async () => {
    const made = await ensure();
    expect(made).toMatchObject({ made: true, pushed: true });
    expect((await git("ls-files")).split("\n")).toEqual(["castle.lock", "content/post.md"]);
    const facts = await checkSource({ folder: folder(), environment: gitEnvironment });
    expect(facts).toMatchObject({ commit: made.commit, branch: "main", upstream: { url: url() } });
    expect((await readdir(home)).toSorted()).toEqual(["blog-src", "from", "git"]);
  });

  it("is left alone from then on; its author's own Git pushes without being asked", async () => {
    await ensure();
    await writeFile(join(folder(), "content/post.md"), "Other text\n");
    await git("commit", "-q", "-a", "-m", "Mine");
    await writeFile(join(folder(), "content/draft.md"), "Not yet\n");
    expect(await ensure()).toMatchObject({ made: false, pushed: false });
    expect(await git("status", "--porcelain")).toBe("?? content/draft.md");
    await git("push", "-q");
    expect(await git("ls-remote", "origin", "main")).toContain((await git("rev-parse", "HEAD")).trim());
  });

  it("is given again to a server that has lost it, at whatever port that is", async () => {
    const { commit } = await ensure();
    await server.close();
    await rm(join(home, "git/repositories"), { recursive: true });
    await open();
    expect(await ensure()).toEqual({ commit, made: false, pushed: true });
    expect(await git("ls-remote", "origin", "main")).toContain(commit);
  });

  it("has a login that nobody else reads and that stands in no setting", async () => {
    await ensure();
    expect(await git("config", "--local", "--list")).not.toContain(logins.author.token);
    expect((await stat(join(folder(), ".git/castle-login"))).mode & 0o777).toBe(0o600);
  });

  it("is not opened by the castle's login, nor the castle's repositories by the author's", async () => {
    await ensure();
    const { port } = server;
    expect(await statusOf(port, "sources/blog-src.git", logins.castle)).toBe(403);
    expect(await statusOf(port, "sources/blog-src.git", logins.author)).toBe(200);
    expect(await statusOf(port, "fortress.git", logins.author)).toBe(403);
    expect(await statusOf(port, "fortress.git", logins.castle)).toBe(200);
    expect(await readFile(join(home, "git/login"), "utf8")).toMatch(/^castle:\S+\nauthor:\S+\n$/);
  });

  it("writes over nothing that is there", async () => {
    await run("mkdir", ["-p", folder()]);
    await writeFile(join(folder(), "precious"), "mine\n");
    await expect(ensure()).rejects.toMatchObject({ code: "source/not-a-repository" });
    expect(await readdir(folder())).toEqual(["precious"]);
  });
});

async function statusOf(port: number, path: string, { username, token }: GitLogin): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${username}:${token}`).toString("base64")}`;
  const asked = `http://127.0.0.1:${port}/${path}/info/refs?service=git-upload-pack`;
  return (await fetch(asked, { headers: { authorization } })).status;
}
