import { createServer } from "node:http";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bytes, gitEnvironment, GitRemote } from "../../test/fixtures/git-remote.ts";
import { type GitServer, serveGit } from "../lab/lan/git-server.ts";
import { Secret } from "../support/secret.ts";
import { commitToTip } from "./commit-to-tip.ts";
import type { GitCredentials } from "./credentials.ts";
import { checkRemote, remoteFailure } from "./failure.ts";
import type { Repository } from "./repository.ts";

vi.setConfig({ testTimeout: 120_000 });

let remote: GitRemote;

beforeEach(async () => {
  remote = await GitRemote.create();
});

afterEach(() => remote.remove());

const write = (repository: Repository) =>
  commitToTip(repository, async () => ({
    kind: "change",
    change: { files: new Map([["a.yaml", bytes("a\n")]]), message: "a" },
  }));

const password = (text: string): GitCredentials => ({
  kind: "password",
  username: "castle",
  password: new Secret(text),
});

describe("a remote over HTTP", () => {
  let server: GitServer;
  let url: string;

  beforeEach(async () => {
    const login = join(remote.folder, "login");
    await writeFile(login, "castle:right token\n", { mode: 0o600 });
    server = await serveGit({
      host: "127.0.0.1",
      port: 0,
      repositories: join(remote.folder, "served"),
      login,
    });
    url = `http://127.0.0.1:${server.port}/fortress.git`;
  });

  afterEach(() => server.close());

  it("is begun, read and written with a password that lies nowhere", async () => {
    const folder = join(remote.folder, "copy");
    const repository = await remote.open({ url, folder, credentials: password("right token") });
    expect(await write(repository)).toMatchObject({ kind: "pushed" });
    expect(await write(repository)).toMatchObject({ kind: "unchanged" });
    const other = await remote.open({ url, credentials: password("right token") });
    const tip = await other.fetchTip();
    expect((await other.entries(tip)).map(({ path }) => path)).toEqual(["a.yaml"]);
    expect((await readdir(folder)).filter((name) => name.startsWith("access-"))).toEqual([]);
    expect(await readFile(join(folder, "config"), "utf8")).not.toContain("right token");
  });

  it("refuses wrong and missing credentials by name, and never says the password", async () => {
    for (const credentials of [password("wrong token"), undefined]) {
      const failure = await (await remote.open({ url, credentials }))
        .fetchTip()
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "gitops/credentials" });
      expect(String(failure)).toContain(url);
      expect(String(failure)).toContain("branch main");
      expect(String(failure)).not.toContain("wrong token");
    }
  });

  it("that answers no Git, or not at all, is named", async () => {
    const folder = await remote.open({ url: url.replace(".git", ""), credentials: password("right token") });
    await expect(folder.fetchTip()).rejects.toMatchObject({ code: "gitops/not-a-repository" });
    const nobody = await remote.open({ url: "http://127.0.0.1:9/x.git" });
    await expect(nobody.fetchTip()).rejects.toMatchObject({
      code: "gitops/unreachable",
      hint: "git ls-remote http://127.0.0.1:9/x.git",
    });
    const broken = createServer((_, response) => response.writeHead(503).end());
    await new Promise<void>((resolve) => broken.listen(0, "127.0.0.1", resolve));
    const bound = broken.address();
    const port = typeof bound === "object" ? bound?.port : undefined;
    const ill = await remote.open({ url: `http://127.0.0.1:${port}/x.git` });
    await expect(ill.fetchTip()).rejects.toMatchObject({ code: "gitops/unreachable" });
    broken.close();
  });
});

describe("a remote over SSH", () => {
  // Stands where ssh is: notes how it was called, then runs what the server would run.
  const SSH = `#!/bin/sh
printf '%s\\n' "$@" > "$HOME/args"
while [ $# -gt 2 ]; do
  case "$1" in
  -i) stat -c %a "$2" > "$HOME/mode"; cat "$2" > "$HOME/key"; shift ;;
  esac
  shift
done
case "$1" in *locked*) echo "git@locked: Permission denied (publickey)." >&2; exit 255 ;; esac
case "$1" in *stranger*) echo "Host key verification failed." >&2; exit 255 ;; esac
exec sh -c "$2"
`;

  it("is used with the deploy key in a private file, known hosts only, and nothing left of them", async () => {
    const home = join(remote.folder, "home");
    await mkdir(home);
    await writeFile(join(home, "ssh"), SSH);
    await chmod(join(home, "ssh"), 0o755);
    const credentials: GitCredentials = {
      kind: "deploy-key",
      privateKey: new Secret("THE KEY"),
      knownHosts: "git.lan ssh-ed25519 AAAA",
    };
    const environment = { PATH: `${home}:${gitEnvironment.PATH}`, HOME: home, SSH_AUTH_SOCK: "/elsewhere" };
    const folder = join(remote.folder, "copy");
    const open = (host: string) =>
      remote.open({ url: `ssh://git@${host}${remote.path}`, environment, credentials, folder });
    expect(await write(await open("git.lan"))).toMatchObject({ kind: "pushed" });
    expect(await readFile(join(home, "mode"), "utf8")).toBe("600\n");
    expect(await readFile(join(home, "key"), "utf8")).toBe("THE KEY\n");
    const args = await readFile(join(home, "args"), "utf8");
    expect(args).toContain("StrictHostKeyChecking=yes");
    expect(args).toContain("BatchMode=yes");
    expect(args).toContain("IdentityAgent=none");
    expect(args).not.toContain("THE KEY");
    expect((await readdir(folder)).filter((name) => name.startsWith("access-"))).toEqual([]);
    await expect((await open("locked")).fetchTip()).rejects.toMatchObject({ code: "gitops/credentials" });
    await expect((await open("stranger")).fetchTip()).rejects.toMatchObject({
      code: "gitops/untrusted",
      hint: "compare with the server's own: ssh-keyscan stranger",
    });
  });
});

describe("an address", () => {
  it.each([
    ["https://castle:secret@git.lan/x.git", "main"],
    ["ext::sh -c id", "main"],
    ["--upload-pack=id", "main"],
    ["", "main"],
    ["https://git.lan/x.git", "-delete"],
    ["https://git.lan/x.git", "a..b"],
    ["https://git.lan/x.git", "a b"],
    ["https://git.lan/x.git", "x.lock"],
    ["https://git.lan/x.git", ""],
  ])("%s with branch %s is refused before Git sees it", (url, branch) => {
    const look = () => checkRemote({ url, branch });
    expect(look).toThrow(expect.objectContaining({ code: "gitops/remote-invalid" }));
    expect(look).not.toThrow("secret");
  });

  it.each(["https://git.lan/x.git", "git@github.com:me/x.git", "ssh://git@git.lan:2222/x.git", "/srv/x.git"])(
    "%s is fine",
    (url) => {
      for (const branch of ["main", "release/1.0", "füße"])
        expect(() => checkRemote({ url, branch })).not.toThrow();
    },
  );
});

const failed = (stderr: string) => ({ exitCode: 128, late: false, stdout: Buffer.alloc(0), stderr });

describe("what Git says", () => {
  it.each([
    ["fatal: unable to access 'https://x/': Could not resolve host: x", "gitops/unreachable"],
    [
      "fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate",
      "gitops/untrusted",
    ],
    ["fatal: unable to access 'https://x/': The requested URL returned error: 403", "gitops/credentials"],
    ["remote: Repository not found.\nfatal: repository 'https://x/' not found", "gitops/not-a-repository"],
    ["fatal: '/x' does not appear to be a git repository\nfatal: Could not read", "gitops/not-a-repository"],
    ["git@x: Permission denied (publickey).\nfatal: Could not read from remote", "gitops/credentials"],
    ["ssh: connect to host x port 22: Connection refused", "gitops/unreachable"],
    ["error: cannot run ssh: No such file or directory", "command/missing"],
    ["fatal: something new", "gitops/failed"],
  ])("%s", (stderr, code) => {
    const failure = remoteFailure({ url: "https://x/", branch: "main" }, failed(stderr));
    expect(failure.code).toBe(code);
    expect(failure.hint).toBeDefined();
    expect(failure.message).toContain("https://x/");
  });
});
