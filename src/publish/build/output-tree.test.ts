import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CastleError } from "../../errors/castle-error.ts";
import { collisions, readOutput } from "./output-tree.ts";

const execute = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-output-"));
  await put("index.html", "<h1>Castle</h1>");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

function refusal(): CastleError {
  try {
    readOutput({ folder, machinePaths: [] });
  } catch (error) {
    if (error instanceof CastleError) return error;
    throw error;
  }
  throw new Error("the output was accepted");
}

/** Made here, so that no scanner takes this file for a leak. */
const secrets: Readonly<Record<string, string>> = {
  "private-key": `-----BEGIN OPENSSH PRIVATE KEY-----\n${"b3Bl".repeat(16)}\n`,
  "age-identity": `AGE-SECRET-KEY-1${"Q".repeat(58)}`,
  "aws-access-key": `AKIA${"Q5".repeat(8)}`,
  "github-token": `ghp_${"a1".repeat(18)}`,
  "gitlab-token": `glpat-${"a1".repeat(10)}`,
  "docker-token": `dckr_pat_${"a1".repeat(13)}`,
  "npm-token": `npm_${"a1".repeat(18)}`,
  "slack-token": `xoxb-1234567890-${"a1".repeat(10)}`,
  "stripe-key": `sk_live_${"a1".repeat(12)}`,
  "kubeconfig-key": `client-key-data: ${"TFM0".repeat(20)}`,
  "kubernetes-token": `token: eyJhbGciOiJSUzI1NiJ9.${"e30".repeat(9)}.${"c2ln".repeat(9)}`,
  "talos-secrets": `secretboxEncryptionSecret: ${"Z3Vy".repeat(10)}`,
  "password-in-address": `postgres://blog:s3cretw0rd@db.lan/blog`,
};

describe("row: secret, .git, .env, key in layer bytes", () => {
  it.each(Object.entries(secrets))("finds a %s and never tells it", async (rule, value) => {
    await put("posts/index.html", `<pre>${value}</pre>`);
    const error = refusal();
    expect(error).toMatchObject({ code: "build/secret", exitCode: 20 });
    expect(error.message).toContain(`posts/index.html (${rule})`);
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain(value.slice(-20));
  });

  it("finds them in files that are not text", async () => {
    await put("archive.bin", `\u0000\u0001${secrets["age-identity"]}\u0000`);
    expect(refusal().code).toBe("build/secret");
  });

  it.each([
    ".env",
    ".git/config",
    "a/.env.local",
    "id_ed25519",
    "x/kubeconfig",
    "store.p12",
    "terraform.tfstate",
  ])("refuses a file of the name %s", async (path) => {
    await put(path, "x");
    expect(refusal()).toMatchObject({ code: "build/secret" });
  });

  it("lets a text about secrets be", async () => {
    await put(
      "posts/index.html",
      "A key begins with -----BEGIN PRIVATE KEY----- and AWS shows AKIAIOSFODNN7EXAMPLE; write https://user:password@host and token: eyJhbGciOi…",
    );
    expect(readOutput({ folder, machinePaths: [] }).files).toHaveLength(2);
  });
});

describe("hidden files", () => {
  it("are refused", async () => {
    await put("posts/.draft.html", "x");
    expect(refusal()).toMatchObject({ code: "build/hidden-file" });
  });

  it("are published below .well-known", async () => {
    await put(".well-known/security.txt", "Contact: mailto:me@example.org\n");
    expect(readOutput({ folder, machinePaths: [] }).files).toHaveLength(2);
  });
});

describe("row: symlink that leaves the root, device, setuid, case-colliding names", () => {
  it.each(["/etc/passwd", "../outside", "a/../../outside"])("refuses a link to %s", async (target) => {
    await symlink(target, join(folder, "link"));
    expect(refusal()).toMatchObject({ code: "build/unsafe-file" });
  });

  it("keeps a link that stays inside", async () => {
    await mkdir(join(folder, "posts"));
    await symlink("../index.html", join(folder, "posts/start.html"));
    const { links } = readOutput({ folder, machinePaths: [] });
    expect(links).toEqual([{ path: "posts/start.html", target: "../index.html" }]);
  });

  it("refuses a pipe", async () => {
    await execute("mkfifo", [join(folder, "pipe")]);
    expect(refusal()).toMatchObject({ code: "build/unsafe-file" });
  });

  it("refuses setuid", async () => {
    await put("tool", "x");
    await chmod(join(folder, "tool"), 0o4755);
    expect(refusal().message).toContain("tool (is setuid or setgid)");
  });

  it("refuses names that differ in case only, of folders as well", async () => {
    await put("Posts/a.html", "x");
    await put("posts/b.html", "x");
    expect(refusal()).toMatchObject({ code: "build/case-collision" });
  });

  it("knows two ways to write one letter", () => {
    expect(collisions(["caf\u00e9.html", "cafe\u0301.html", "tea.html"])).toHaveLength(1);
  });
});

it("lists files by bytes, with their hashes", async () => {
  await put("z.html", "");
  await put("B.html", "x");
  const { files } = readOutput({ folder, machinePaths: [] });
  expect(files.map(({ path }) => path)).toEqual(["B.html", "index.html", "z.html"]);
  expect(files[2]?.sha256).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});
