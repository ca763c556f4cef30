import { env, umask } from "node:process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/support/run.ts";
import { partOrSkip } from "../fixtures/parts.ts";
import { BlogReleases } from "./blog-releases.ts";

const hugo = await partOrSkip("hugo");
const base = await partOrSkip("nginx-base");

const front = (more: string) => `---\ntitle: x\ndate: 2024-01-01\n${more}\n---\n\nText.\n`;

describe.runIf(hugo !== undefined && base !== undefined)("the example blog", () => {
  let blog: BlogReleases;

  beforeAll(async () => {
    blog = await BlogReleases.create(hugo ?? "", base ?? "");
  });
  afterAll(() => blog.source.remove());

  it("has thirty posts and more, taxonomies, a feed, pictures and a page for what is not there", async () => {
    const { files, pages } = await blog.release();
    const paths = files.map(({ path }) => path);
    expect(paths.filter((path) => /^posts\/[^/]+\/index\.html$/.test(path)).length).toBeGreaterThanOrEqual(
      30,
    );
    expect(paths).toEqual(
      expect.arrayContaining([
        "404.html",
        "index.xml",
        "tags/etcd/index.html",
        "categories/ideas/index.html",
      ]),
    );
    expect(paths.filter((path) => path.endsWith(".webp")).length).toBeGreaterThanOrEqual(3);
    expect(pages).toBeGreaterThan(60);
    // The one draft.
    expect(paths.join("\n")).not.toContain("moat");
  });

  it("is the same image in another time zone, umask and folder, with another locale and an empty cache", async () => {
    const first = await blog.release();
    const [zone, mask] = [env["TZ"], umask(0o077)];
    env["TZ"] = "Pacific/Chatham";
    try {
      const environment = { PATH: "/usr/local/bin:/usr/bin:/bin", TZ: "Asia/Tokyo", LC_ALL: "tr_TR.UTF-8" };
      const cache = join(blog.source.home, "another cache");
      const second = await blog.release({ environment, cache, work: join(blog.source.home, "a/b c/d") });
      expect(second.digest).toBe(first.digest);
      expect(second.layers.filter(({ kind }) => kind !== "base").some(({ reused }) => reused)).toBe(false);
    } finally {
      umask(mask);
      if (zone === undefined) delete env["TZ"];
      else env["TZ"] = zone;
    }
  });

  it("takes unchanged layers from the release before", async () => {
    const first = await blog.release();
    await blog.commit({ "content/about/index.md": "---\ntitle: About\n---\n\nOther words.\n" });
    const second = await blog.release();
    const reused = (kind: string) => second.layers.find((layer) => layer.kind === kind)?.reused;
    expect([reused("assets"), reused("html")]).toEqual([true, false]);
    expect(second.digest).not.toBe(first.digest);
  });

  describe("rows of the table of failures", () => {
    it("Hugo error: file and line", async () => {
      const error = await blog.refusal({
        "content/posts/broken.md": "---\ntitle: x\n---\n\n{{< nowhere >}}\n",
      });
      expect(error).toMatchObject({ code: "build/failed", exitCode: 20 });
      expect(error.message).toMatch(/content\/posts\/broken\.md:5:1.*"nowhere"/s);
      expect(error.message).not.toContain(blog.source.home);
    });

    it("Hugo warning", async () => {
      const error = await blog.refusal({
        "themes/keep/layouts/_partials/footer.html": '{{ warnf "too old" }}',
      });
      expect(error).toMatchObject({ code: "build/failed", exitCode: 20 });
      expect(error.message).toContain("too old");
      expect(error.message).not.toContain("goroutine");
    });

    it.each([
      ["draft", "buildDrafts = false", "buildDrafts = true", front("draft: true")],
      ["future", "buildFuture = false", "buildFuture = true", front("publishDate: 2999-01-01")],
      ["expired", "buildExpired = false", "buildExpired = true", front("expiryDate: 2024-02-01")],
    ])("%s page in the output", async (_kind, off, on, text) => {
      const settings = await blog.source.git("show", "HEAD:hugo.toml");
      const error = await blog.refusal({
        "hugo.toml": `${settings.replace(off, on)}\n`,
        "content/posts/hidden.md": text,
      });
      expect(error).toMatchObject({ code: "build/unpublished-page", exitCode: 20 });
      expect(error.message).toContain("content/posts/hidden.md");
    });

    it("a page of the network is no page of the commit", async () => {
      const error = await blog.refusal({
        "themes/keep/layouts/_partials/footer.html":
          '{{ with try (resources.GetRemote "https://example.org/x") }}{{ with .Err }}{{ errorf "%s" . }}{{ end }}{{ end }}',
      });
      expect(error.message).toContain("security.http.urls");
    });

    it("no Hugo of that version", async () => {
      await expect(blog.release({ hugo: () => Promise.resolve(undefined) })).rejects.toMatchObject({
        code: "build/hugo-missing",
        exitCode: 20,
      });
    });
  });

  it("is built by this Hugo without a warning", async () => {
    const target = join(blog.source.home, "by-hand");
    const { stdout, stderr } = await run(hugo ?? "", [
      "--source",
      blog.source.folder,
      "--destination",
      target,
      "--minify",
      "--panicOnWarning",
    ]);
    expect(`${stdout}${stderr}`).not.toMatch(/WARN|ERROR/);
    await rm(join(blog.source.folder, "resources"), { recursive: true, force: true });
  });
});
