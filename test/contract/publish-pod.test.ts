import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PackedRelease } from "../../src/publish/release.ts";
import { canRunLab, partOrSkip } from "../fixtures/parts.ts";
import { BlogReleases } from "./blog-releases.ts";
import { SitePod } from "./site-pod.ts";

const hugo = await partOrSkip("hugo");
const base = await partOrSkip("nginx-base");

const sizeOf = ({ files }: PackedRelease, wanted: string) => files.find(({ path }) => path === wanted)?.bytes;
const style = ({ files }: PackedRelease) => files.find(({ path }) => path.endsWith(".css"))?.path ?? "";

describe.runIf(canRunLab)("the example blog", () => {
  let blog: BlogReleases;

  beforeAll(async () => {
    blog = await BlogReleases.create(hugo ?? "", base ?? "");
  });
  afterAll(() => blog.source.remove());

  describe("in a pod", () => {
    let packed: PackedRelease;
    let pod: SitePod;

    beforeAll(async () => {
      await blog.commit({ "content/about/index.md": "---\ntitle: About\n---\n\nOther words.\n" });
      packed = await blog.release();
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
      await blog.commit({ "content/about/index.md": "---\ntitle: About\n---\n\nOther wordz.\n" });
      const edited = await blog.release();
      const next = await SitePod.start(edited.layout);
      try {
        expect(sizeOf(edited, "about/index.html")).toBe(sizeOf(packed, "about/index.html"));
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

    beforeAll(async () => {
      before = await blog.release();
      await blog.commit({ "themes/keep/assets/css/keep.css": "body { color: red; }\n" });
      after = await blog.release();
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
    const pod = await SitePod.start((await blog.release()).layout);
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
});
