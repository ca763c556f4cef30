import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SiteSource } from "../../../test/fixtures/site-source.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";
import { checkSource } from "./check-source.ts";

// Git and tar are called many times, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let source: SiteSource;

beforeEach(async () => {
  source = await SiteSource.create({ "index.md": "one\n", "posts/a.md": "a\n" });
});
afterEach(() => source.remove());

/** What the preflight says; a test that expects a fault fails where there is none. */
async function refusal(folder = source.folder): Promise<CastleError> {
  try {
    await checkSource({ ...source.access, folder });
  } catch (error) {
    if (error instanceof CastleError) return error;
    throw error;
  }
  throw new Error("the source was accepted");
}

const theme = async () => {
  const other = join(source.home, "theme");
  await run("git", ["init", "-q", "--template=", "--initial-branch=main", other]);
  await writeFile(join(other, "theme.toml"), "name = 'plain'\n");
  await source.gitIn(other, "add", "-A");
  await source.gitIn(other, "commit", "-q", "-m", "Theme");
  await source.git("submodule", "--quiet", "add", other, "themes/plain");
  await source.git("commit", "-q", "-m", "Theme");
  await source.git("push", "-q");
};

describe("a source that can be published", () => {
  it("tells its commit, branch and remote", async () => {
    const facts = await checkSource(source.access);
    const paths = (await source.git("ls-files")).trim().split("\n");
    const sizes = await Promise.all(paths.map(async (path) => (await stat(join(source.folder, path))).size));
    expect(facts).toEqual({
      folder: source.folder,
      commit: await source.git("rev-parse", "HEAD"),
      committedAt: "2026-01-02T03:05:05Z",
      subject: "By hand",
      branch: "main",
      upstream: { remote: "origin", url: source.remote, branch: "main" },
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      warnings: [],
    });
  });

  it("may be behind its remote", async () => {
    await source.commit({ "posts/b.md": "b\n" });
    await source.git("push", "-q");
    await source.git("reset", "-q", "--hard", "HEAD~1");
    expect((await checkSource(source.access)).branch).toBe("main");
  });

  it("may be behind what others pushed and this repository has never seen", async () => {
    const other = join(source.home, "other");
    await run("git", ["clone", "-q", source.remote, other]);
    await source.gitIn(other, "commit", "-q", "--allow-empty", "-m", "Others");
    await source.gitIn(other, "push", "-q");
    const before = await source.git("for-each-ref");
    expect((await checkSource(source.access)).subject).toBe("By hand");
    expect(await source.git("for-each-ref")).toBe(before);
  });

  it("may be a folder of a repository, whose other folders do not matter", async () => {
    await source.write({ "elsewhere/draft.md": "?\n" });
    const facts = await checkSource({ ...source.access, folder: join(source.folder, "posts") });
    expect(facts.folder).toBe(join(source.folder, "posts"));
  });

  it("may have a theme as a submodule", async () => {
    await theme();
    expect((await checkSource(source.access)).subject).toBe("Theme");
  });

  it("warns of files that Git was told not to look at (row: assume-unchanged, skip-worktree)", async () => {
    await source.git("update-index", "--assume-unchanged", "index.md");
    await source.git("update-index", "--skip-worktree", "posts/a.md");
    await source.write({ "index.md": "edited\n", "posts/a.md": "edited\n" });
    const { warnings } = await checkSource(source.access);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("index.md, posts/a.md");
  });

  it("keeps a password in the remote's address to itself", async () => {
    await source.git("config", `url.${source.remote}.insteadOf`, "https://me:hunter2@git.example/site.git");
    await source.git("remote", "set-url", "origin", "https://me:hunter2@git.example/site.git");
    expect(JSON.stringify(await checkSource(source.access))).not.toContain("hunter2");
  });
});

describe("a source that cannot be published", () => {
  it("names changed paths (row: dirty)", async () => {
    await source.write({ "index.md": "edited\n" });
    await rm(join(source.folder, "posts/a.md"));
    const error = await refusal();
    expect(error.code).toBe("source/dirty");
    expect(error.exitCode).toBe(10);
    expect(error.message).toContain("index.md, posts/a.md");
    expect(error.message).toContain("Nothing was built or pushed");
  });

  it("names paths that Git does not know (row: untracked), but none that it ignores", async () => {
    await source.commit({ ".gitignore": "/public/\n" });
    await source.git("push", "-q");
    await source.write({ "posts/neu ß.md": "x", "public/index.html": "x" });
    const error = await refusal();
    expect(error.code).toBe("source/dirty");
    expect(error.message).toContain("posts/neu ß.md");
    expect(error.message).not.toContain("public");
  });

  it("names the old and the new path of a rename once", async () => {
    await source.git("mv", "index.md", "start.md");
    expect((await refusal()).details["faults"]).toEqual([expect.objectContaining({ paths: ["start.md"] })]);
  });

  it("is in the middle of a merge (row: merge or rebase under way)", async () => {
    await source.git("switch", "-q", "-c", "other");
    await source.commit({ "index.md": "theirs\n" });
    await source.git("switch", "-q", "main");
    await source.commit({ "index.md": "ours\n" });
    await expect(source.git("merge", "-q", "other")).rejects.toThrow(/./);
    const error = await refusal();
    expect(error.code).toBe("source/operation-under-way");
    expect(error.hint).toContain("git merge --abort");
  });

  it("is in the middle of a rebase (row: merge or rebase under way)", async () => {
    await source.git("switch", "-q", "-c", "other");
    await source.commit({ "index.md": "theirs\n" });
    await source.git("switch", "-q", "main");
    await source.commit({ "index.md": "ours\n" });
    await expect(source.git("rebase", "-q", "other")).rejects.toThrow(/./);
    expect((await refusal()).message).toContain("a rebase is under way");
  });

  it("is on no branch (row: detached HEAD)", async () => {
    await source.git("switch", "-q", "--detach");
    const error = await refusal();
    expect(error).toMatchObject({ code: "source/detached", hint: "git switch BRANCH" });
  });

  it("has a commit that the remote has not (row: unpushed)", async () => {
    await source.commit({ "posts/b.md": "b\n" });
    expect(await refusal()).toMatchObject({ code: "source/unpushed", hint: "git push" });
  });

  it("has a commit that was pushed and is gone from the remote since (row: unpushed)", async () => {
    await source.commit({ "posts/b.md": "b\n" });
    await source.git("push", "-q");
    await source.gitIn(source.remote, "update-ref", "refs/heads/main", "main~1");
    expect(await source.git("rev-parse", "origin/main")).toBe(await source.git("rev-parse", "HEAD"));
    expect(await refusal()).toMatchObject({ code: "source/unpushed" });
  });

  it("follows no branch (row: no upstream)", async () => {
    await source.git("branch", "--unset-upstream");
    expect(await refusal()).toMatchObject({
      code: "source/no-upstream",
      hint: "git push -u origin main",
    });
  });

  it("lacks its older commits (row: shallow)", async () => {
    await source.commit({ "posts/b.md": "b\n" });
    await source.git("push", "-q");
    const shallow = join(source.home, "shallow");
    await run("git", ["clone", "-q", "--depth=1", `file://${source.remote}`, shallow]);
    expect(await refusal(shallow)).toMatchObject({ code: "source/shallow" });
  });

  it("lacks a submodule's commit (row: missing submodule)", async () => {
    await theme();
    const clone = join(source.home, "clone");
    await run("git", ["clone", "-q", source.remote, clone]);
    const error = await refusal(clone);
    expect(error).toMatchObject({
      code: "source/submodule-missing",
      hint: "git submodule update --init --recursive",
    });
    expect(error.message).toContain("themes/plain");
  });

  it("has a submodule's commit that only this machine has (row: unpushed)", async () => {
    await theme();
    await source.gitIn(join(source.folder, "themes/plain"), "commit", "-q", "--allow-empty", "-m", "Here");
    await source.git("commit", "-q", "-a", "-m", "Theme of here");
    await source.git("push", "-q");
    expect((await refusal()).message).toContain("submodule themes/plain is on none of its remotes");
  });

  it("has only the pointer of a large file (row: LFS pointer)", async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"4d".repeat(32)}\nsize 12345\n`;
    await source.commit({ "static/film.mp4": pointer });
    await source.git("push", "-q");
    const error = await refusal();
    expect(error).toMatchObject({ code: "source/lfs-missing", hint: "git lfs pull" });
    expect(error.message).toContain("static/film.mp4");
  });

  it("cannot ask its remote", async () => {
    await source.git("remote", "set-url", "origin", join(source.home, "gone.git"));
    expect(await refusal()).toMatchObject({ code: "source/remote", exitCode: 10 });
  });

  it("has no commit", async () => {
    const empty = join(source.home, "empty");
    await run("git", ["init", "-q", empty]);
    expect(await refusal(empty)).toMatchObject({ code: "source/no-commit" });
  });

  it("is no repository", async () => {
    expect(await refusal(source.home)).toMatchObject({ code: "source/not-a-repository" });
  });

  it("tells all its faults at once", async () => {
    await source.commit({ "posts/b.md": "b\n" });
    await source.write({ "index.md": "edited\n", "new.md": "new\n" });
    const { message } = await refusal();
    expect(message).toMatch(/index\.md.*new\.md.*is not on origin\/main/s);
  });
});
