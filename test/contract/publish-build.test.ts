import { env, umask } from "node:process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CastleError } from "../../src/errors/castle-error.ts";
import { readLayoutImage } from "../../src/image/layout-image.ts";
import { platformVersions } from "../../src/lab/parts/platform-versions.ts";
import { buildRelease, type ReleaseOptions } from "../../src/publish/build-release.ts";
import { planSiteLock } from "../../src/publish/lock/plan-site-lock.ts";
import { readSiteLock } from "../../src/publish/lock/read-site-lock.ts";
import type { PackedRelease } from "../../src/publish/release.ts";
import { checkSource } from "../../src/publish/source/check-source.ts";
import { run } from "../../src/support/run.ts";
import { exampleBlog } from "../fixtures/example-blog.ts";
import { partOrSkip } from "../fixtures/parts.ts";
import type { SiteSource } from "../fixtures/site-source.ts";
import { SitePod } from "./site-pod.ts";

const VERSION = platformVersions.hugo.slice(1);
const hugo = await partOrSkip("hugo");
const base = await partOrSkip("nginx-base");

describe.runIf(hugo !== undefined && base !== undefined)("the example blog", () => {
  let blog: SiteSource;
  let runs = 0;

  beforeAll(async () => {
    blog = await exampleBlog();
    const { digest } = (await readLayoutImage(base ?? "")).manifest.descriptor;
    const reference = `registry.lan/castle/nginx@${digest}`;
    const plan = await planSiteLock({ folder: blog.folder, base: reference, hugo: VERSION });
    await writeFile(plan.path, plan.text);
    await commit({});
  });
  afterAll(() => blog.remove());

  async function commit(files: Readonly<Record<string, string>>): Promise<void> {
    await blog.commit(files);
    await blog.git("push", "-q");
  }

  async function release(more: Partial<ReleaseOptions> = {}): Promise<PackedRelease> {
    runs += 1;
    const access = { environment: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/nonexistent" } };
    const source = await checkSource({ ...access, folder: blog.folder });
    return buildRelease({
      site: "blog",
      source,
      lock: await readSiteLock(source, access),
      base: base ?? "",
      work: join(blog.home, `work-${runs}`),
      cache: join(blog.home, "cache"),
      hugo: (version) => Promise.resolve(version === VERSION ? hugo : undefined),
      ...access,
      ...more,
    });
  }

  /** What a build of these files says; they are taken back afterwards. */
  async function refusal(files: Readonly<Record<string, string>>): Promise<CastleError> {
    await commit(files);
    try {
      return await release().then(
        () => Promise.reject(new Error("the build was accepted")),
        (error: CastleError) => error,
      );
    } finally {
      await blog.git("revert", "--no-edit", "HEAD");
      await blog.git("push", "-q");
    }
  }

  it("has thirty posts and more, taxonomies, a feed, pictures and a page for what is not there", async () => {
    const { files, pages } = await release();
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
    const first = await release();
    const [zone, mask] = [env["TZ"], umask(0o077)];
    env["TZ"] = "Pacific/Chatham";
    try {
      const environment = { PATH: "/usr/local/bin:/usr/bin:/bin", TZ: "Asia/Tokyo", LC_ALL: "tr_TR.UTF-8" };
      const cache = join(blog.home, "another cache");
      const second = await release({ environment, cache, work: join(blog.home, "a/b c/d") });
      expect(second.digest).toBe(first.digest);
      expect(second.layers.filter(({ kind }) => kind !== "base").some(({ reused }) => reused)).toBe(false);
    } finally {
      umask(mask);
      if (zone === undefined) delete env["TZ"];
      else env["TZ"] = zone;
    }
  });

  it("takes unchanged layers from the release before", async () => {
    const first = await release();
    await commit({ "content/about/index.md": "---\ntitle: About\n---\n\nOther words.\n" });
    const second = await release();
    const reused = (kind: string) => second.layers.find((layer) => layer.kind === kind)?.reused;
    expect([reused("assets"), reused("html")]).toEqual([true, false]);
    expect(second.digest).not.toBe(first.digest);
  });

  describe("rows of the table of failures", () => {
    it("Hugo error: file and line", async () => {
      const error = await refusal({ "content/posts/broken.md": "---\ntitle: x\n---\n\n{{< nowhere >}}\n" });
      expect(error).toMatchObject({ code: "build/failed", exitCode: 20 });
      expect(error.message).toMatch(/content\/posts\/broken\.md:5:1.*"nowhere"/s);
      expect(error.message).not.toContain(blog.home);
    });

    it("Hugo warning", async () => {
      const error = await refusal({ "themes/keep/layouts/_partials/footer.html": '{{ warnf "too old" }}' });
      expect(error).toMatchObject({ code: "build/failed", exitCode: 20 });
      expect(error.message).toContain("too old");
      expect(error.message).not.toContain("goroutine");
    });

    const front = (more: string) => `---\ntitle: x\ndate: 2024-01-01\n${more}\n---\n\nText.\n`;
    it.each([
      ["draft", "buildDrafts = false", "buildDrafts = true", front("draft: true")],
      ["future", "buildFuture = false", "buildFuture = true", front("publishDate: 2999-01-01")],
      ["expired", "buildExpired = false", "buildExpired = true", front("expiryDate: 2024-02-01")],
    ])("%s page in the output", async (_kind, off, on, text) => {
      const settings = await blog.git("show", "HEAD:hugo.toml");
      const error = await refusal({
        "hugo.toml": `${settings.replace(off, on)}\n`,
        "content/posts/hidden.md": text,
      });
      expect(error).toMatchObject({ code: "build/unpublished-page", exitCode: 20 });
      expect(error.message).toContain("content/posts/hidden.md");
    });

    it("a page of the network is no page of the commit", async () => {
      const error = await refusal({
        "themes/keep/layouts/_partials/footer.html":
          '{{ with try (resources.GetRemote "https://example.org/x") }}{{ with .Err }}{{ errorf "%s" . }}{{ end }}{{ end }}',
      });
      expect(error.message).toContain("security.http.urls");
    });

    it("no Hugo of that version", async () => {
      await expect(release({ hugo: () => Promise.resolve(undefined) })).rejects.toMatchObject({
        code: "build/hugo-missing",
        exitCode: 20,
      });
    });
  });

  describe("in a pod", () => {
    let packed: PackedRelease;
    let pod: SitePod;

    beforeAll(async () => {
      packed = await release();
      pod = await SitePod.start(packed.layout);
    });
    afterAll(() => pod.stop());

    const named = (pattern: RegExp) => {
      const found = packed.files.find(({ path }) => pattern.test(path));
      if (found === undefined) throw new Error(`no file like ${pattern}`);
      return found;
    };

    it("answers which release it is, in every location", async () => {
      expect(await pod.get("/healthz")).toMatchObject({ status: 200, body: packed.tag });
      const style = named(/\.css$/).path;
      for (const path of [
        "/",
        "/posts/kill-nine/",
        `/${style}`,
        "/favicon.svg",
        "/nowhere",
        "/.git/config",
      ]) {
        const { headers } = await pod.get(path);
        expect([path, headers["castle-release"]]).toEqual([path, packed.tag]);
        expect(headers["x-content-type-options"]).toBe("nosniff");
        expect(headers).not.toHaveProperty("last-modified");
        expect(headers["server"]).toBe("nginx");
      }
    });

    it("serves every file with the bytes that the release lists", async () => {
      for (const { path, sha256 } of packed.files) {
        if (path === "404.html") continue;
        const address = `http://127.0.0.1:8080/${path.split("/").map(encodeURIComponent).join("/")}`;
        const sum = await pod.inside("sh", "-c", 'curl -s --fail "$1" | sha256sum', "sh", address);
        expect([path, sum.slice(0, 64)]).toEqual([path, sha256]);
      }
    });

    it("sends the compressed copy to whoever takes it, with an ETag of its own", async () => {
      const plain = await pod.get("/");
      const packedPage = await pod.get("/", "-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-");
      expect(packedPage.headers["content-encoding"]).toBe("gzip");
      expect(packedPage.headers["vary"]).toBe("Accept-Encoding");
      expect(packedPage.headers["etag"]).not.toBe(plain.headers["etag"]);
    });

    it("lets browsers keep what carries a hash, and asks again for pages", async () => {
      expect((await pod.get(`/${named(/\.css$/).path}`)).headers["cache-control"]).toContain("immutable");
      expect(
        (await pod.get(`/${named(/_hu_.*\.webp$/).path}`, "-o", "/dev/null", "-D", "-")).headers[
          "cache-control"
        ],
      ).toContain("immutable");
      expect((await pod.get("/")).headers["cache-control"]).toBe("no-cache");
    });

    it("has a page for what is not there, and redirects by path alone", async () => {
      expect(await pod.get("/posts/nowhere/")).toMatchObject({
        status: 404,
        body: expect.stringContaining("No such room"),
      });
      expect((await pod.get("/posts")).headers["location"]).toBe("/posts/");
    });

    it("answers 304 for what stayed and 200 for an edit of the same size", async () => {
      const [page, other] = [await pod.get("/about/"), await pod.get("/posts/kill-nine/")];
      await commit({ "content/about/index.md": "---\ntitle: About\n---\n\nOther wordz.\n" });
      const edited = await release();
      const next = await SitePod.start(edited.layout);
      try {
        const size = (from: PackedRelease) =>
          from.files.find(({ path }) => path === "about/index.html")?.bytes;
        expect(size(edited)).toBe(size(packed));
        expect((await next.get("/about/", "-H", `If-None-Match: ${page.headers["etag"]}`)).status).toBe(200);
        expect(
          (await next.get("/posts/kill-nine/", "-H", `If-None-Match: ${other.headers["etag"]}`)).status,
        ).toBe(304);
      } finally {
        await next.stop();
      }
    });
  });

  describe("beside a pod of the next release", () => {
    const pods: SitePod[] = [];
    let before: PackedRelease;
    let after: PackedRelease;
    const style = ({ files }: PackedRelease) => files.find(({ path }) => path.endsWith(".css"))?.path ?? "";

    beforeAll(async () => {
      before = await release();
      await commit({ "themes/keep/assets/css/keep.css": "body { color: red; }\n" });
      after = await release();
      for (const [{ layout }, other] of [
        [before, "10.9.8.2"],
        [after, "10.9.8.1"],
      ] as const) {
        const peers = `set $castle_peers "castle-peers";\n`;
        // As the headless Service's name does: every pod, the asking one among them.
        const group = `upstream castle-peers { server 127.0.0.1:8080 max_fails=0; server ${other}:8080 max_fails=0; }\n`;
        pods.push(
          await SitePod.start(layout, {
            "etc/nginx/peers/peers.conf": peers,
            "etc/nginx/conf.d/group.conf": group,
          }),
        );
      }
      const [old, young] = pods;
      if (old === undefined || young === undefined) throw new Error("two pods were started");
      await old.inside(
        "ip",
        "link",
        "add",
        "peer0",
        "type",
        "veth",
        "peer",
        "name",
        "peer0",
        "netns",
        String(young.pid),
      );
      for (const [pod, address] of [
        [old, "10.9.8.1"],
        [young, "10.9.8.2"],
      ] as const) {
        await pod.inside("ip", "address", "add", `${address}/24`, "dev", "peer0");
        await pod.inside("ip", "link", "set", "peer0", "up");
      }
    });
    afterAll(async () => {
      for (const pod of pods) await pod.stop();
    });

    it("each has assets that the other has not", async () => {
      expect(style(after)).not.toBe(style(before));
      for (const [release, other] of [
        [before, after],
        [after, before],
      ] as const) {
        expect(other.files.map(({ path }) => path)).not.toContain(style(release));
      }
    });

    it("either serves the pages' assets of both, whole and to be kept", async () => {
      for (const pod of pods) {
        for (const release of [before, after]) {
          const { status, headers } = await pod.get(`/${style(release)}`, "-H", "Accept-Encoding: identity");
          expect(status).toBe(200);
          expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
          expect(headers["castle-release"]).toBe(release.tag);
        }
      }
    });

    it("asks nobody twice for what nobody has", async () => {
      const [old] = pods;
      const { status, body } = (await old?.get(`/css/none.${"0".repeat(64)}.css`)) ?? {};
      expect(status).toBe(404);
      expect(body).toContain("No such room");
    });
  });

  it("without neighbours, an asset that is not here is asked for again a bounded number of times", async () => {
    const pod = await SitePod.start((await release()).layout);
    try {
      const missing = `/css/none.${"0".repeat(64)}.css`;
      const first = await pod.get(missing);
      expect([first.status, first.headers["location"], first.headers["cache-control"]]).toEqual([
        307,
        `${missing}?again=1`,
        "no-store",
      ]);
      const said = await pod.inside(
        "curl",
        "-s",
        "-L",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{num_redirects}",
        `http://127.0.0.1:8080${missing}`,
      );
      expect(said).toBe("404 12");
    } finally {
      await pod.stop();
    }
  });

  it("is built by this Hugo without a warning", async () => {
    const target = join(blog.home, "by-hand");
    const { stdout, stderr } = await run(hugo ?? "", [
      "--source",
      blog.folder,
      "--destination",
      target,
      "--minify",
      "--panicOnWarning",
    ]);
    expect(`${stdout}${stderr}`).not.toMatch(/WARN|ERROR/);
    await rm(join(blog.folder, "resources"), { recursive: true, force: true });
  });
});
