import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bytes, GitRemote } from "../../test/fixtures/git-remote.ts";
import { commitToTip } from "./commit-to-tip.ts";
import { blobId } from "./blob-id.ts";
import type { FileChanges, Repository } from "./repository.ts";

// Every step starts a dozen of Git's programs.
vi.setConfig({ testTimeout: 120_000 });

let remote: GitRemote;

beforeEach(async () => {
  remote = await GitRemote.create();
});

afterEach(() => remote.remove());

const change = (files: FileChanges) => async () =>
  ({ kind: "change", change: { files, message: "By castle\n" } }) as const;
const write = (repository: Repository, files: Record<string, string>) =>
  commitToTip(repository, change(new Map(Object.entries(files).map(([path, text]) => [path, bytes(text)]))));

describe("a commit on the branch's tip", () => {
  it("starts an empty repository, and does nothing the second time", async () => {
    const repository = await remote.open();
    const first = await write(repository, { "a/b.yaml": "one\n" });
    expect(first).toMatchObject({ kind: "pushed", parent: undefined });
    expect(await remote.git("show", "main:a/b.yaml")).toBe("one");
    expect(await remote.git("log", "-1", "--format=%an <%ae>%n%B", "main")).toBe(
      "castle <castle@fortress>\nBy castle\n",
    );
    const again = await write(await remote.open(), { "a/b.yaml": "one\n" });
    expect(again).toMatchObject({ kind: "unchanged" });
    expect(await remote.commits()).toBe(1);
  });

  it("leaves every other file, its mode, links, CRLF, binary and unicode names as they are", async () => {
    await remote.commit({
      "README.md": "# read\r\nme\r\n",
      ".gitattributes": "* text=auto eol=crlf\n",
      "bild/schloß 🏰.bin": Buffer.from([0, 255, 13, 10, 0]),
      "weird\tname\n": "x",
      "clusters/other/x.yaml": "no final newline",
    });
    const before = await remote.tree();
    const repository = await remote.open();
    await write(repository, { "clusters/fortress/castle/größe.yaml": "a: 1\r\nb: ü\n" });
    const after = new Map(await remote.tree());
    const made = after.get("clusters/fortress/castle/größe.yaml");
    expect(made).toBe(`100644 blob ${blobId(bytes("a: 1\r\nb: ü\n"))}`);
    after.delete("clusters/fortress/castle/größe.yaml");
    expect([...after]).toEqual([...before]);
  });

  it("makes of random trees and random changes exactly what was asked", async () => {
    const segment = fc.constantFrom("a", "b", "ü", "x y", "-n", "*", "[z]");
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join("/")}.f`);
    const content = fc.uint8Array({ maxLength: 40 });
    const changes = fc.dictionary(path, fc.option(content, { nil: undefined }), {
      minKeys: 1,
      maxKeys: 8,
      noNullPrototype: true,
    });
    const repository = await remote.open();
    const expected = new Map<string, string>();
    await fc.assert(
      fc.asyncProperty(changes, async (wanted) => {
        const outcome = await commitToTip(repository, change(new Map(Object.entries(wanted))));
        for (const [name, text] of Object.entries(wanted)) {
          if (text === undefined) expected.delete(name);
          else expected.set(name, `100644 blob ${blobId(text)}`);
        }
        expect(["pushed", "unchanged"]).toContain(outcome.kind);
        const isEmpty = (await remote.git("for-each-ref")) === "";
        expect(isEmpty ? new Map() : new Map(await remote.tree())).toEqual(expected);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });

  it("refuses to replace a file by a folder, or a folder by a file", async () => {
    await remote.commit({ clusters: "a file", "docs/x": "1" });
    const repository = await remote.open();
    await expect(write(repository, { "clusters/fortress/x": "1" })).rejects.toMatchObject({
      code: "gitops/path-taken",
      message: expect.stringContaining("but clusters is not a folder there"),
    });
    await expect(write(repository, { docs: "1" })).rejects.toMatchObject({
      message: expect.stringContaining("but docs is a folder there"),
    });
  });

  it("lets writers that race all converge, without losing a change", async () => {
    const writers = await Promise.all([1, 2, 3, 4].map(() => remote.open()));
    const outcomes = await Promise.all(
      writers.map((repository, index) => write(repository, { [`from-${index}`]: String(index) })),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(["pushed", "pushed", "pushed", "pushed"]);
    expect([...(await remote.tree()).keys()]).toEqual(["from-0", "from-1", "from-2", "from-3"]);
    const same = await Promise.all(writers.map((repository) => write(repository, { same: "thing" })));
    // Made in the same second, two commits may even be the same one.
    expect(new Set(same.map((outcome) => ("commit" in outcome ? outcome.commit : "")))).toHaveProperty(
      "size",
      1,
    );
    expect(await remote.commits()).toBe(5);
  });

  it("plans anew on a tip that moved, and gives up after ten of them", async () => {
    await remote.commit({ counter: "0" });
    const repository = await remote.open();
    let plans = 0;
    const outcome = await commitToTip(repository, async () => {
      plans += 1;
      await remote.commit({ counter: String(plans) });
      return { kind: "change", change: { files: new Map([["ours", bytes("1")]]), message: "ours" } };
    });
    expect(outcome).toMatchObject({ kind: "refused", reason: { code: "gitops/race" } });
    expect(plans).toBe(10);
    expect((await remote.tree()).has("ours")).toBe(false);
  });

  it("says what a hook said, and does not try again", async () => {
    await remote.commit({ a: "1" });
    await remote.hook("pre-receive", `echo run >> "$GIT_DIR/runs"; echo "only bots on main" >&2; exit 1`);
    const outcome = await write(await remote.open(), { b: "2" });
    expect(outcome).toMatchObject({ kind: "refused", reason: { code: "gitops/declined" } });
    if (outcome.kind !== "refused") throw new Error("it was not refused");
    expect(outcome.reason.message).toContain("only bots on main");
    expect(outcome.reason.message).toContain(remote.url);
    expect(outcome.reason.hint).toContain("main");
    expect((await remote.tree()).has("b")).toBe(false);
  });

  it("finds out that a push whose answer was lost has arrived", async () => {
    await remote.commit({ a: "1" });
    // The hook ends the server's side after the branch has moved, before it could say so.
    await remote.hook("post-receive", `kill -9 $PPID`);
    const outcome = await write(await remote.open(), { b: "2" });
    expect(outcome.kind).toBe("pushed");
    expect((await remote.tree()).has("b")).toBe(true);
    expect(await write(await remote.open(), { b: "2" })).toMatchObject({ kind: "unchanged" });
  });

  it("uses a copy that a kill left half-made", async () => {
    const folder = join(remote.folder, "copy");
    await write(await remote.open({ folder }), { a: "1" });
    await remote.commit({ b: "2" });
    await mkdir(join(folder, "refs/castle"), { recursive: true });
    await writeFile(join(folder, "refs/castle/tip.lock"), "");
    expect(await write(await remote.open({ folder }), { c: "3" })).toMatchObject({ kind: "pushed" });
    await writeFile(join(folder, "HEAD"), "");
    await rm(join(folder, "objects"), { recursive: true });
    expect(await write(await remote.open({ folder }), { d: "4" })).toMatchObject({ kind: "pushed" });
    expect([...(await remote.tree()).keys()]).toEqual(["a", "b", "c", "d"]);
  });

  it("names the branches that there are", async () => {
    await remote.commit({ a: "1" }, "trunk");
    await expect(write(await remote.open(), { b: "2" })).rejects.toMatchObject({
      code: "gitops/branch-missing",
      message: expect.stringContaining("has no branch main; it has trunk"),
    });
  });

  it("ends with its signal", async () => {
    const controller = new AbortController();
    const repository = await remote.open({ signal: controller.signal });
    controller.abort();
    await expect(write(repository, { b: "2" })).rejects.toMatchObject({ code: "command/interrupted" });
  });
});
