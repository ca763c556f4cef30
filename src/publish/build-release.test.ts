import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { gitEnvironment } from "../../test/fixtures/git-remote.ts";
import { writeFakeBase } from "../../test/fixtures/site-base.ts";
import { SiteSource } from "../../test/fixtures/site-source.ts";
import { buildRelease, type ReleaseOptions } from "./build-release.ts";
import { readSiteLock } from "./lock/read-site-lock.ts";
import { renderSiteLock } from "./lock/site-lock.ts";
import type { SiteBuild, SiteLock } from "./release.ts";
import { checkSource } from "./source/check-source.ts";

// Git and tar are called many times, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let source: SiteSource;
let digest: string;
let runs = 0;

beforeEach(async () => {
  source = await SiteSource.create({ "index.html": "<h1>One</h1>", "README.md": "Pages\n" });
  digest = await writeFakeBase(join(source.home, "base"));
});
afterEach(() => source.remove());

async function build(siteBuild: SiteBuild, more: Partial<ReleaseOptions & SiteLock> = {}) {
  const lock: SiteLock = {
    layout: 1,
    base: `registry.lan/castle/nginx@${digest}`,
    build: siteBuild,
    ...(more.notSecret === undefined ? {} : { notSecret: more.notSecret }),
  };
  await source.commit({ "castle.lock": renderSiteLock(lock) }).catch(() => undefined);
  await source.git("push", "-q");
  const facts = await checkSource(source.access);
  const access = { environment: gitEnvironment };
  runs += 1;
  return buildRelease({
    site: "blog",
    source: facts,
    lock: await readSiteLock(facts, access),
    base: join(source.home, "base"),
    work: join(source.home, `work-${runs}`),
    cache: join(source.home, "cache"),
    hugo: () => Promise.resolve(undefined),
    ...access,
    ...more,
  });
}

const none: SiteBuild = { kind: "none", output: "." };
const command = (script: string): SiteBuild => ({
  kind: "command",
  command: ["sh", "-c", script],
  output: "dist",
});

it("serves a folder as it is, without what belongs to the repository", async () => {
  await source.commit({ ".gitignore": "dist/\n", Dockerfile: "FROM x\n", "posts/a.html": "<p>a</p>" });
  const release = await build(none);
  expect(release.files.map(({ path }) => path)).toEqual(["README.md", "index.html", "posts/a.html"]);
  expect(release.pages).toBe(2);
  expect(release.tag).toBe(`blog-${release.commit.slice(0, 12)}`);
});

it("runs any build command, with the commit's time and nothing of the person's environment", async () => {
  const environment = { ...gitEnvironment, TOKEN: "hunter2", TZ: "Asia/Tokyo", LC_ALL: "de_DE.UTF-8" };
  const script = `mkdir dist && { env | grep -E '^(SOURCE|TZ|LC|TOKEN)'; date -d @0 +%H; } > dist/env.html && cp index.html dist/`;
  const release = await build(command(script), { environment });
  const text = await readFile(join(source.home, `work-${runs}`, "tree/dist/env.html"), "utf8").catch(String);
  expect(text).toContain(`SOURCE_DATE_EPOCH=${Date.parse(release.committedAt) / 1000}\n`);
  expect(text).toContain("TZ=UTC\n");
  expect(text).toContain("LC_ALL=C\n");
  expect(text).toMatch(/\n00\n$/);
  expect(text).not.toContain("hunter2");
});

it("builds the same image twice, in another folder and another umask", async () => {
  const script =
    "umask 077; mkdir -p dist/css && echo '<p>x</p>' > dist/index.html && echo 'a{}' > dist/css/a.css";
  const first = await build(command(script));
  const again = await build(command(script), { cache: join(source.home, "other cache") });
  expect(again.digest).toBe(first.digest);
});

it("tells a build command's own words (row: build error)", async () => {
  await expect(build(command("echo index.html:3: no such tag >&2; exit 3"))).rejects.toMatchObject({
    code: "build/failed",
    exitCode: 20,
    message: expect.stringContaining("index.html:3: no such tag"),
  });
});

it("refuses an output without pages (row: no pages)", async () => {
  await expect(build(command("true"))).rejects.toMatchObject({ code: "build/no-pages", exitCode: 20 });
});

it("refuses a site that lost its pages, unless it is meant (row: page count halves)", async () => {
  await expect(build(none, { livePages: 3 })).rejects.toMatchObject({ code: "build/pages-halved" });
  expect((await build(none, { livePages: 3, allowFewerPages: true })).pages).toBe(1);
});

it("refuses a page that names the folder that it was built in", async () => {
  const script = "mkdir dist && pwd > dist/index.html";
  await expect(build(command(script))).rejects.toMatchObject({ code: "build/machine-path" });
});

it("publishes what only looks like a secret where the lock says so", async () => {
  const key = `<pre>-----BEGIN PRIVATE KEY-----\n${"A1b2".repeat(16)}\n</pre>`;
  await source.commit({ "keys.html": key });
  await expect(build(none)).rejects.toMatchObject({ code: "build/secret" });
  const release = await build(none, { notSecret: ["keys.html: private-key"] });
  expect(release.pages).toBe(2);
});
