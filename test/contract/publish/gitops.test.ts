import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { publish } from "../../../src/publish/publish.ts";
import { releases } from "../../../src/publish/releases.ts";
import { rollback } from "../../../src/publish/rollback.ts";
import { canRunLab } from "../../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../../fixtures/registry.ts";
import { COMMITS, MANIFEST, manifest, SITE, tagOf, World } from "./world.ts";

/** publish.md's rows of the GitOps repository: each test is called as its row. */
describe.skipIf(!canRunLab)("a release and its manifests", () => {
  let registry: TestRegistry;
  let world: World;
  const stays = "is not live and nothing was changed";

  beforeAll(async () => {
    registry = await openRegistry();
  });
  afterAll(() => registry?.close());
  beforeEach(async () => {
    world = await World.open(registry);
  });
  afterEach(() => world.close());

  it("no matching image: 40, nearest candidates with file:line", async () => {
    await world.remote.commit({ [MANIFEST]: manifest("registry.lan/tazlab/wiki:wiki-1111111") });
    const failed = world.publish(COMMITS.first);
    await expect(failed).rejects.toMatchObject({
      code: "gitops/image-missing",
      exitCode: 40,
      message: expect.stringContaining(`${MANIFEST}:12 registry.lan/tazlab/wiki:wiki-1111111`),
    });
    await expect(failed).rejects.toThrow(stays);
    expect(await world.tags()).toEqual([]);
  });

  it('two matches: 40; never "first wins"', async () => {
    await world.remote.commit({ "clusters/fortress/other.yaml": manifest(`${SITE.image}:blog-0000000`) });
    await expect(world.publish(COMMITS.first)).rejects.toMatchObject({
      code: "gitops/image-ambiguous",
      exitCode: 40,
      message: expect.stringMatching(/blog\.yaml:12 .*\n.*other\.yaml:12 /),
    });
  });

  it.each([
    ["alias", `x: &i ${SITE.image}:blog-0000000\nimage: *i\n`],
    ["anchor", `image: &i ${SITE.image}:blog-0000000\n`],
    ["duplicate-key", `image: ${SITE.image}:blog-0000000\nimage: ${SITE.image}:blog-0000000\n`],
    ["template", `image: ${SITE.image}:\${TAG}\n`],
    ["sops", `image: ${SITE.image}:blog-0000000\nsops: { mac: x }\n`],
  ])("alias, anchor, duplicate key, template, SOPS file: 40, which rule: %s", async (rule, text) => {
    await world.remote.commit({ [MANIFEST]: text });
    await expect(world.publish(COMMITS.first)).rejects.toMatchObject({
      code: "gitops/image-unwritable",
      exitCode: 40,
      details: { rule },
    });
  });

  it("CRLF, BOM, no final newline, many documents: byte for byte", async () => {
    const text =
      `\uFEFF${manifest(`${SITE.image}:blog-0000000`)}---\nkind: ConfigMap\nmetadata: { name: c }`.replaceAll(
        "\n",
        "\r\n",
      );
    await world.remote.commit({ [MANIFEST]: text });
    const { digest } = await world.publish(COMMITS.first);
    // Git's own output is decoded on its way here, a byte order mark included.
    expect((await world.manifest()).replace(/^\uFEFF/, "")).toBe(
      text.slice(1).replace("blog-0000000", `${tagOf(COMMITS.first)}@${digest}`),
    );
  });

  it("the commit carries source, digest and what stood there, and touches one file", async () => {
    const receipt = await world.publish(COMMITS.first);
    expect(receipt).toMatchObject({
      outcome: "committed",
      manifests: { pushed: true, previous: "blog-0000000" },
    });
    const said = await world.remote.git("log", "-1", "--stat", "--format=%B", "main");
    expect(said).toContain(`Castle-Source: ${COMMITS.first}\n`);
    expect(said).toContain(`Castle-Digest: ${receipt.digest}\n`);
    expect(said).toContain("Castle-Previous: blog-0000000\n");
    expect(said).toMatch(/ 1 file changed, 1 insertion\(\+\), 1 deletion\(-\)/);
  });

  it("already at our digest: no empty commit", async () => {
    const first = await world.publish(COMMITS.first);
    const again = await world.publish(COMMITS.first);
    expect(await world.remote.commits()).toBe(2);
    expect(again).toMatchObject({ digest: first.digest, manifests: { pushed: false }, outcome: "committed" });
    expect(again.registry).toBeUndefined();
    expect(again.phases.find(({ step }) => step === "build")?.outcome).toBe("skipped");
  });

  it("push race: fetch, re-plan on the new tip", async () => {
    let others = 0;
    const { manifests, ...delivery } = await world.delivery();
    const { repository } = manifests;
    const commit = repository.commit.bind(repository);
    repository.commit = async (tip, change) => {
      others += 1;
      if (others <= 3) await world.remote.commit({ [`others/${others}.txt`]: "in between" });
      return commit(tip, change);
    };
    await publish({ ...delivery, manifests }, world.options(COMMITS.first));
    expect(others).toBe(4);
    expect(await world.manifest()).toContain(tagOf(COMMITS.first));
    expect(await world.remote.git("show", "main:others/3.txt")).toBe("in between");
  });

  it("same line changed: 40", async () => {
    const { manifests, ...delivery } = await world.delivery();
    const { repository } = manifests;
    const commit = repository.commit.bind(repository);
    let raced = false;
    repository.commit = async (tip, change) => {
      if (!raced) await world.remote.commit({ [MANIFEST]: manifest(`${SITE.image}:${tagOf(COMMITS.side)}`) });
      raced = true;
      return commit(tip, change);
    };
    await expect(publish({ ...delivery, manifests }, world.options(COMMITS.second))).rejects.toMatchObject({
      code: "publish/diverged",
      exitCode: 40,
      message: expect.stringContaining(
        `${tagOf(COMMITS.second)} is in the registry and not in the GitOps repository`,
      ),
    });
    expect(await world.manifest()).toContain(tagOf(COMMITS.side));
  });

  it("hook or protected branch declines: 40, no retry", async () => {
    await world.remote.hook(
      "pre-receive",
      'echo "protected: ask the owner" >&2; echo x >> "$GIT_DIR/asked"; exit 1',
    );
    await expect(world.publish(COMMITS.first)).rejects.toMatchObject({
      code: "gitops/declined",
      exitCode: 40,
      message: expect.stringMatching(
        /protected: ask the owner[\s\S]*is in the registry and not in the GitOps repository/,
      ),
    });
    const { readFile } = await import("node:fs/promises");
    expect(await readFile(`${world.remote.path}/asked`, "utf8")).toBe("x\n");
  });

  it('commit is an ancestor of what is live: 10, "that is a rollback, use rollback"', async () => {
    await world.publish(COMMITS.second);
    await expect(world.publish(COMMITS.first)).rejects.toMatchObject({
      code: "publish/ancestor",
      exitCode: 10,
      message: expect.stringContaining("that is a rollback"),
      hint: expect.stringContaining("castle rollback"),
    });
  });

  it("two publishes at once, same commit: both succeed, one commit", async () => {
    const both = await Promise.all([world.publish(COMMITS.first), world.publish(COMMITS.first)]);
    expect(new Set(both.map(({ digest }) => digest)).size).toBe(1);
    // In one second both make the very same commit, and both are told that it is there.
    expect(new Set(both.map(({ manifests }) => manifests.commit)).size).toBe(1);
    expect(await world.remote.commits()).toBe(2);
  });

  it("two publishes at once, different commits: the one that is not a descendant is refused", async () => {
    await world.publish(COMMITS.first);
    const [second, side] = await Promise.allSettled([
      world.publish(COMMITS.second),
      world.publish(COMMITS.side),
    ]);
    const failed = [second, side].filter(({ status }) => status === "rejected");
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ reason: { code: "publish/diverged" } });
    expect(await world.remote.commits()).toBe(3);
  });

  it("Ctrl-C, network cut, kill -9: run again, converges from the registry and git, no local state needed", async () => {
    const cuts = [/\/blobs\//, /\/manifests\/sha256:/, /\/manifests\/blog-/];
    for (const cut of cuts) {
      const controller = new AbortController();
      world.front.fault = ({ method, path }) => {
        if (method !== "PUT" || !cut.test(path)) return undefined;
        controller.abort();
        return { kind: "cut", after: 10 };
      };
      const delivery = await world.delivery({ signal: controller.signal });
      await expect(publish(delivery, world.options(COMMITS.first))).rejects.toMatchObject({ exitCode: 130 });
    }
    world.front.fault = () => undefined;
    await world.publish(COMMITS.first);
    expect((await world.tags()).filter((tag) => tag.startsWith("blog-"))).toEqual([tagOf(COMMITS.first)]);
    expect(await world.remote.commits()).toBe(2);
  });

  describe("rollback", () => {
    it("by SHA, no rebuild, a forward commit, 0 blob bytes moved", async () => {
      const first = await world.publish(COMMITS.first);
      await world.publish(COMMITS.second);
      const before = world.front.uploaded();
      const receipt = await rollback(await world.delivery(), COMMITS.first.slice(0, 7));
      expect(receipt).toMatchObject({
        action: "rollback",
        digest: first.digest,
        manifests: { pushed: true },
      });
      expect(await world.manifest()).toContain(`${tagOf(COMMITS.first)}@${first.digest}`);
      expect([world.front.uploaded() - before, await world.remote.commits()]).toEqual([0, 4]);
      // And forward again is a publication like any other, for which the registry has all.
      const again = await world.publish(COMMITS.second);
      expect([again.registry?.written, world.front.uploaded() - before]).toEqual([false, 0]);
    });

    it("without a SHA: the release before the live one, and not to and fro", async () => {
      await world.publish(COMMITS.first);
      await world.publish(COMMITS.second);
      await world.publish(COMMITS.third);
      expect((await rollback(await world.delivery(), undefined)).tag).toBe(tagOf(COMMITS.second));
      expect((await rollback(await world.delivery(), undefined)).tag).toBe(tagOf(COMMITS.first));
    });

    it("recognises seven-digit tags of earlier releases", async () => {
      const packed = await world.packed(COMMITS.first);
      await world.publish(COMMITS.first);
      const { bytes, descriptor } = await registry.client.manifest(world.repository, packed.digest);
      await registry.client.pushManifest(world.repository, "blog-1111111", { bytes, descriptor });
      await world.remote.commit({ [MANIFEST]: manifest(`${SITE.image}:blog-1111111`) });
      await world.publish(COMMITS.second);
      const known = await releases(await world.delivery());
      expect(known.map(({ tag, live }) => [tag, live])).toEqual([
        [tagOf(COMMITS.second), true],
        ["blog-1111111", false],
        [tagOf(COMMITS.first), false],
      ]);
    });

    it("refuses an image that somebody wrote over, and a release that never was", async () => {
      await world.publish(COMMITS.first);
      const second = await world.publish(COMMITS.second);
      const { bytes, descriptor } = await registry.client.manifest(world.repository, second.digest);
      await registry.client.pushManifest(world.repository, tagOf(COMMITS.first), { bytes, descriptor });
      await expect(rollback(await world.delivery(), COMMITS.first)).rejects.toMatchObject({
        code: "publish/digest-changed",
        exitCode: 30,
        message: expect.stringContaining(`${tagOf(COMMITS.second)} stays live`),
      });
      expect(
        (await releases(await world.delivery())).find(({ tag }) => tag === tagOf(COMMITS.first))?.registry,
      ).toBe("changed");
      await expect(rollback(await world.delivery(), "abcdef0")).rejects.toMatchObject({
        code: "publish/unknown-release",
        exitCode: 10,
      });
    });
  });
});
