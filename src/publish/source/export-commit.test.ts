import { createHash } from "node:crypto";
import { mkdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { umask } from "node:process";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { gitEnvironment } from "../../../test/fixtures/git-remote.ts";
import { SiteSource } from "../../../test/fixtures/site-source.ts";
import { run } from "../../support/run.ts";
import { checkSource } from "./check-source.ts";
import { exportCommit } from "./export-commit.ts";

// Git and tar are called many times, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const access = { environment: gitEnvironment };
let source: SiteSource;
let target: string;

beforeEach(async () => {
  source = await SiteSource.create({ "index.md": "one\n", "run.sh": "#!/bin/sh\n" });
  target = join(source.home, "export");
});
afterEach(() => source.remove());

const exported = (path: string) => readFile(join(target, path), "utf8");

it("writes the commit's bytes, not the work tree's", async () => {
  await source.commit({ ".gitignore": "ignored.md\n" });
  await source.git("update-index", "--assume-unchanged", "index.md");
  await source.write({ "index.md": "secretly edited\n", "ignored.md": "x" });
  await exportCommit(await factsOfHead(), target, access);
  expect(await exported("index.md")).toBe("one\n");
  await expect(stat(join(target, "ignored.md"))).rejects.toThrow("ENOENT");
});

it("keeps bytes that attributes and settings would change", async () => {
  await source.write({
    ".gitattributes": "*.crlf text eol=crlf\n*.id ident export-subst\n*.no export-ignore\n",
  });
  await source.commit({ "a.crlf": "one\ntwo\n", "b.id": "$Id$ $Format:%H$\n", "c.no": "here\n" });
  await source.git("config", "core.autocrlf", "true");
  await exportCommit(await factsOfHead(), target, access);
  expect(await exported("a.crlf")).toBe("one\ntwo\n");
  expect(await exported("b.id")).toBe("$Id$ $Format:%H$\n");
  expect(await exported("c.no")).toBe("here\n");
});

it("gives modes that no umask changes, the commit's time, and links as they are", async () => {
  await run("chmod", ["+x", join(source.folder, "run.sh")]);
  await symlink("index.md", join(source.folder, "start.md"));
  await source.commit({ "deep/er/file.md": "x" });
  const facts = await factsOfHead();
  const before = umask(0o077);
  try {
    await exportCommit(facts, target, access);
  } finally {
    umask(before);
  }
  expect((await stat(join(target, "run.sh"))).mode & 0o777).toBe(0o755);
  const file = await stat(join(target, "deep/er/file.md"));
  expect(file.mode & 0o777).toBe(0o644);
  expect(file.mtime.toISOString()).toBe(facts.committedAt.replace("Z", ".000Z"));
  expect((await stat(join(target, "deep"))).mtime).toEqual(file.mtime);
  expect(await readlink(join(target, "start.md"))).toBe("index.md");
});

it("brings a theme that is a submodule, and the history for whoever asks for a page's last commit", async () => {
  const theme = join(source.home, "theme");
  await run("git", ["init", "-q", "--template=", theme]);
  await writeFile(join(theme, "theme.toml"), "name = 'plain'\n");
  await source.gitIn(theme, "add", "-A");
  await source.gitIn(theme, "commit", "-q", "-m", "Theme");
  await source.git("submodule", "--quiet", "add", theme, "themes/plain");
  await source.git("commit", "-q", "-m", "Theme");
  await exportCommit(await factsOfHead(), target, access);
  expect(await exported("themes/plain/theme.toml")).toContain("plain");
  const said = await source.gitIn(target, "log", "--format=%s", "--", "index.md");
  expect(said).toBe("By hand");
});

it("brings a large file's content where Git LFS has it, if it is the right one", async () => {
  const content = "film".repeat(1000);
  const oid = createHash("sha256").update(content).digest("hex");
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;
  await source.commit({ "film.mp4": pointer });
  await source.git("push", "-q");
  const place = join(source.folder, ".git/lfs/objects", oid.slice(0, 2), oid.slice(2, 4));
  await mkdir(place, { recursive: true });
  await writeFile(join(place, oid), "other bytes");
  await expect(checkSource(source.access)).rejects.toMatchObject({ code: "source/lfs-missing" });
  await writeFile(join(place, oid), content);
  const facts = await checkSource(source.access);
  expect(facts.bytes).toBeGreaterThan(content.length + pointer.length);
  await exportCommit(facts, target, access);
  expect(await exported("film.mp4")).toBe(content);
});

it("takes a folder of a repository for itself", async () => {
  await source.commit({ "blog/index.md": "blog\n", "blog/posts/a.md": "a\n" });
  const facts = { ...(await factsOfHead()), folder: join(source.folder, "blog") };
  await exportCommit(facts, target, access);
  expect(await exported("posts/a.md")).toBe("a\n");
  await expect(stat(join(target, "run.sh"))).rejects.toThrow("ENOENT");
});

async function factsOfHead() {
  await source.git("push", "-q");
  return checkSource(source.access);
}
