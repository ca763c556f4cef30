import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeImageLayout, type ImageRuntime } from "../../../src/image/image-layout.ts";
import { pullImage } from "../../../src/image/image-pull.ts";
import { pushImage } from "../../../src/image/image-push.ts";
import { writeLayer } from "../../../src/image/layer-writer.ts";
import { buildRelease } from "../../../src/publish/build-release.ts";
import { readBaseImage } from "../../../src/publish/pack/base-image.ts";
import type { PackedRelease } from "../../../src/publish/release.ts";
import { checkSource } from "../../../src/publish/source/check-source.ts";
import { canRunLab, part } from "../../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../../fixtures/registry.ts";
import { SiteSource } from "../../fixtures/site-source.ts";
import { SitePod } from "../site-pod.ts";

const command = ["nginx", "-g", "daemon off;"];

/** What of the named images matters to whoever puts a site on them. */
const BASES: readonly (readonly [string, Partial<ImageRuntime>, number])[] = [
  ["library/nginx", { ports: [80] }, 80],
  ["nginxinc/nginx-unprivileged", { ports: [8080], user: "101" }, 8080],
];

/** Stand-ins: the layout of the named images (entry point, port, user, their own page) around the nginx that is here. */
describe.skipIf(!canRunLab)("a site on a named base", () => {
  let registry: TestRegistry;
  let folder: string;
  let site: SiteSource;

  beforeAll(async () => {
    registry = await openRegistry();
    folder = await mkdtemp(join(tmpdir(), "castle-bases-"));
    site = await SiteSource.create({ "index.html": "<h1>On a base</h1>\n", "app.css": "body {}\n" });
  });
  afterAll(async () => {
    await registry?.close();
    await site?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Pushes the stand-in and pulls it by its digest, as `castle publish` does. */
  async function pulled(repository: string, runtime: Partial<ImageRuntime>, port: number): Promise<string> {
    const own = await readBaseImage(await part("nginx-base"));
    const layout = join(folder, repository.replaceAll("/", "-"));
    const texts = {
      "docker-entrypoint.sh": '#!/bin/sh\nset -e\nexec "$@"\n',
      "etc/nginx/conf.d/default.conf": `server { listen ${port}; root /usr/share/nginx/html; }\n`,
      "usr/share/nginx/html/index.html": "<h1>Welcome to nginx!</h1>\n",
    };
    const layer = await writeLayer(
      Object.entries(texts).map(([path, text]) => ({
        type: "file" as const,
        path,
        mode: path.endsWith(".sh") ? 0o755 : 0o644,
        content: Buffer.from(text),
      })),
      { blobs: join(layout, "blobs/sha256"), compression: "gzip" },
    );
    await writeImageLayout(layout, [...own.layers, layer], {
      architecture: own.document.architecture,
      entrypoint: ["/docker-entrypoint.sh"],
      command,
      stopSignal: "SIGQUIT",
      ...runtime,
    });
    const reference = await pushImage(registry.client, layout, { repository, tag: "stable-alpine" });
    const target = join(folder, `${repository.replaceAll("/", "-")}-pulled`);
    const { architecture } = own.document;
    await pullImage(registry.client, { repository, reference, architecture, folder: target });
    return target;
  }

  async function released(repository: string, base: string): Promise<PackedRelease> {
    const { digest } = await readBaseImage(base);
    const work = join(folder, `${repository.replaceAll("/", "-")}-work`);
    return buildRelease({
      site: "blog",
      source: await checkSource(site.access),
      lock: { layout: 1, base: `docker.io/${repository}@${digest}`, build: { kind: "none", output: "." } },
      base,
      work,
      cache: join(folder, "cache"),
      environment: site.access.environment,
      hugo: () => Promise.resolve(undefined),
    });
  }

  it.each(BASES)(
    "%s: serves on its own port, as its own user, and not the base's page",
    async (name, runtime, port) => {
      const base = await pulled(name, runtime, port);
      const release = await released(name, base);
      expect(release.port).toBe(port);
      const { document } = await readBaseImage(release.layout);
      expect(document.config).toMatchObject({ Entrypoint: ["/docker-entrypoint.sh"], Cmd: command });
      expect(document.config["User"]).toBe(runtime.user);
      const pod = await SitePod.start(release.layout, {}, port);
      try {
        expect(await pod.get("/")).toMatchObject({ status: 200, body: "<h1>On a base</h1>" });
        expect((await pod.get("/")).headers["castle-release"]).toBe(release.tag);
      } finally {
        await pod.stop();
      }
    },
  );
});
