import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSiteImage } from "../../src/image/site-image.ts";
import { writeNginxBase } from "../../src/lab/parts/nginx-base.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { SitePod } from "./site-pod.ts";

const FINGERPRINTED = "app.0123456789abcdef0123.css";

describe.runIf(canRunLab)("a site's image", () => {
  let home: string;
  let pod: SitePod | undefined;
  const said = () => pod?.said ?? "";
  const get = async (path: string, header?: string) => {
    if (pod === undefined) throw new Error("the pod did not start");
    return pod.get(path, ...(header === undefined ? [] : ["-H", header]));
  };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "castle-site-image-"));
    const pages = join(home, "pages");
    await mkdir(join(pages, "posts"), { recursive: true });
    await writeFile(join(pages, "index.html"), "<h1>Placeholder</h1>\n");
    await writeFile(join(pages, "404.html"), "<h1>Not here</h1>\n");
    await writeFile(join(pages, "posts/index.html"), "<h1>Posts</h1>\n");
    await writeFile(join(pages, ".secret"), "hidden\n");
    await writeFile(join(pages, FINGERPRINTED), "body{}\n");
    const base = join(home, "base");
    await writeNginxBase({
      folder: base,
      configuration: new URL("../../parts/nginx", import.meta.url).pathname,
      downloads: join(home, "downloads"),
      architecture: "amd64",
    });
    const layout = join(home, "site");
    await writeSiteImage({ base, pages, release: "blog-0123abcd", folder: layout });
    pod = await SitePod.start(layout);
  }, 120_000);

  afterAll(async () => {
    await pod?.stop();
    await rm(home, { recursive: true, force: true });
  });

  it("serves pages that are asked for again and answered 304 while they are the same", async () => {
    const page = await get("/");
    expect(page).toMatchObject({ status: 200, body: "<h1>Placeholder</h1>" });
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      server: "nginx",
    });
    expect(page.headers).not.toHaveProperty("last-modified");
    expect((await get("/", `If-None-Match: ${page.headers["etag"]}`)).status).toBe(304);
    expect(said()).toContain('"GET / HTTP/1.1" 200');
  });

  it("answers which release it is", async () => {
    expect(await get("/healthz")).toMatchObject({ status: 200, body: "blog-0123abcd" });
    expect(said()).not.toContain("/healthz");
  });

  it("has the site's page for what is not there, and shows no dotfile", async () => {
    for (const path of ["/nothing", "/.secret"]) {
      const page = await get(path);
      expect([path, page.status, page.body]).toEqual([path, 404, "<h1>Not here</h1>"]);
      expect(page.headers["server"]).toBe("nginx");
    }
    expect((await get("/../../etc/nginx/nginx.conf")).status).toBe(400);
    expect((await get("/nothing")).headers["x-content-type-options"]).toBe("nosniff");
  });

  it("redirects without naming a host or port", async () => {
    const { status, headers } = await get("/posts");
    expect([status, headers["location"]]).toEqual([301, "/posts/"]);
    expect((await get("/posts/")).body).toBe("<h1>Posts</h1>");
  });

  it("lets browsers keep what carries its hash in its name", async () => {
    const { status, headers } = await get(`/${FINGERPRINTED}`);
    expect([status, headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });
});
