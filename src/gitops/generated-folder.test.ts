import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bytes, GitRemote } from "../../test/fixtures/git-remote.ts";
import { blobId } from "./blob-id.ts";
import { parseRecord, renderRecord } from "./folder-record.ts";
import { type GeneratedFolder, handEdits, publishFolder } from "./generated-folder.ts";
import type { Repository } from "./repository.ts";

vi.setConfig({ testTimeout: 120_000 });

let remote: GitRemote;
let repository: Repository;

const PATH = "clusters/fortress/castle";
const OVERRIDE = "clusters/fortress/overrides/traefik/kustomization.yaml";

function folderOf(files: Record<string, string>): GeneratedFolder {
  return {
    path: PATH,
    files: new Map(Object.entries(files).map(([path, text]) => [path, bytes(text)])),
    scaffolds: new Map([[OVERRIDE, bytes("kind: Component\n")]]),
  };
}

const publish = (files: Record<string, string>, overwrite = false) =>
  publishFolder(repository, folderOf(files), { message: "castle: platform\n", overwrite });

const files = { "traefik/deployment.yaml": "replicas: 2\n", "metallb/pool.yaml": "a: 1\n" };

describe("the generated folder", () => {
  beforeEach(async () => {
    remote = await GitRemote.create();
    repository = await remote.open();
  });

  afterEach(() => remote.remove());

  it("is written whole, with its record and scaffolds, and then left alone", async () => {
    await remote.commit({ "README.md": "mine\n" });
    expect(await publish(files)).toMatchObject({ kind: "pushed" });
    expect([...(await remote.tree()).keys()]).toEqual([
      "README.md",
      `${PATH}/.castle.json`,
      `${PATH}/metallb/pool.yaml`,
      `${PATH}/traefik/deployment.yaml`,
      OVERRIDE,
    ]);
    expect(await publish(files)).toMatchObject({ kind: "unchanged" });
  });

  it("follows what castle wants, removals too, and never writes a scaffold twice", async () => {
    await publish(files);
    await remote.commit({ [OVERRIDE]: "kind: Component\npatches: []\n", "other/x.yaml": "1" });
    expect(await publish({ "traefik/deployment.yaml": "replicas: 3\n" })).toMatchObject({ kind: "pushed" });
    const tree = await remote.tree();
    expect(tree.has(`${PATH}/metallb/pool.yaml`)).toBe(false);
    expect(tree.get(OVERRIDE)).toContain(blobId(bytes("kind: Component\npatches: []\n")));
    expect(tree.has("other/x.yaml")).toBe(true);
  });

  it("shows a hand edit, keeps it, and writes over it when told to", async () => {
    await publish(files);
    await remote.commit({
      [`${PATH}/traefik/deployment.yaml`]: "replicas: 9\n",
      [`${PATH}/metallb/pool.yaml`]: undefined,
      [`${PATH}/mine.yaml`]: "own: true\n",
    });
    const commits = await remote.commits();
    const answer = await publish({ ...files, "new.yaml": "n\n" });
    if (answer.kind !== "handEdited") throw new Error(`it is ${answer.kind}`);
    expect(answer.edits).toEqual([
      { path: `${PATH}/metallb/pool.yaml`, change: "removed" },
      { path: `${PATH}/mine.yaml`, change: "added" },
      { path: `${PATH}/traefik/deployment.yaml`, change: "edited" },
    ]);
    expect(answer.diff).toContain("-replicas: 2\n+replicas: 9");
    expect(answer.diff).toContain("+own: true");
    expect(answer.diff).toContain("-a: 1");
    expect(await remote.commits()).toBe(commits);

    expect(await publish(files, true)).toMatchObject({ kind: "pushed" });
    const tree = await remote.tree();
    expect(tree.has(`${PATH}/mine.yaml`)).toBe(false);
    expect(tree.get(`${PATH}/traefik/deployment.yaml`)).toContain(blobId(bytes("replicas: 2\n")));
    expect(await publish(files)).toMatchObject({ kind: "unchanged" });
  });

  it("takes files that were there before castle for a hand's work", async () => {
    await remote.commit({ [`${PATH}/old.yaml`]: "x\n", [`${PATH}/metallb/pool.yaml`]: "a: 1\n" });
    expect(await publish(files)).toMatchObject({
      kind: "handEdited",
      edits: [{ path: `${PATH}/old.yaml`, change: "added" }],
    });
  });

  it("does not mind line ends that a person's Git changed back, but sees those that stayed", async () => {
    await publish(files);
    await remote.commit({ [`${PATH}/metallb/pool.yaml`]: "a: 1\r\n" });
    expect(await publish(files)).toMatchObject({ kind: "handEdited" });
    await remote.commit({ [`${PATH}/metallb/pool.yaml`]: "a: 1\n" });
    expect(await publish(files)).toMatchObject({ kind: "unchanged" });
  });

  it("shows the edit even if the repository was begun anew", async () => {
    await publish(files);
    const record = renderRecord(folderOf({ ...files, "metallb/pool.yaml": "never seen\n" }).files);
    await remote.commit({ [`${PATH}/.castle.json`]: record });
    const answer = await publish({ ...files, "metallb/pool.yaml": "a: 2\n" });
    expect(answer).toMatchObject({ kind: "handEdited", diff: expect.stringContaining("+a: 1") });
  });

  it("lets two castles of one repository write at once", async () => {
    const other = await remote.open();
    const [one, two] = await Promise.all([
      publish(files),
      publishFolder(
        other,
        { ...folderOf(files), path: "clusters/keep/castle" },
        { message: "m", overwrite: false },
      ),
    ]);
    expect([one.kind, two.kind]).toEqual(["pushed", "pushed"]);
    const tree = await remote.tree();
    expect(tree.has("clusters/keep/castle/.castle.json") && tree.has(`${PATH}/.castle.json`)).toBe(true);
  });
});

const entriesOf = (found: ReadonlyMap<string, Uint8Array>) =>
  [...found].map(([path, text]) => ({ path, mode: "100644", id: blobId(text) }));

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;

describe("hand edits", () => {
  const content = fc.string({ maxLength: 6 }).map(bytes);
  const names = fc.constantFrom("a", "b", "c/d", "ü");
  const tree = fc.dictionary(names, content).map((found) => new Map(Object.entries(found)));

  it("are never seen in what castle wrote last, whatever it wants now", () => {
    fc.assert(
      fc.property(tree, tree, (last, wanted) => {
        const record = parseRecord(renderRecord(last).toString());
        expect(handEdits(wanted, entriesOf(last), record)).toEqual([]);
      }),
    );
  });

  it("are always seen where a file is neither as written nor as wanted", () => {
    fc.assert(
      fc.property(tree, tree, tree, (last, wanted, there) => {
        const seen = handEdits(wanted, entriesOf(there), parseRecord(renderRecord(last).toString()));
        const expected = [...new Set([...there.keys(), ...last.keys()])].filter((path) =>
          there.has(path)
            ? !same(there.get(path), last.get(path)) && !same(there.get(path), wanted.get(path))
            : wanted.has(path),
        );
        expect(seen.map(({ path }) => path)).toEqual(expected.toSorted());
      }),
    );
  });

  it("of a record are survived, and a link is one", () => {
    expect(parseRecord("not json")).toEqual(new Map());
    expect(parseRecord(undefined)).toEqual(new Map());
    const wanted = new Map([["a", bytes("x")]]);
    const link = { path: "a", mode: "120000", id: blobId(bytes("x")) };
    expect(handEdits(wanted, [link], new Map([["a", link.id]]))).toEqual([{ path: "a", change: "edited" }]);
  });

  it("the record is the same whatever order the files come in", () => {
    const [one, two] = [bytes("1"), bytes("2")];
    expect(
      renderRecord(
        new Map([
          ["a", one],
          ["b", two],
        ]),
      ),
    ).toEqual(
      renderRecord(
        new Map([
          ["b", two],
          ["a", one],
        ]),
      ),
    );
  });
});
