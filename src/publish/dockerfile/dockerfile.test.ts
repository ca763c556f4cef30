import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { isStaticTag } from "../../image/static-tag.ts";
import { serverConfiguration } from "../pack/server-configuration.ts";
import type { SiteLock } from "../release.ts";
import { renderDockerfile } from "./dockerfile.ts";
import { renderDockerignore } from "./dockerignore.ts";

const base = `docker.io/library/nginx@sha256:${"a".repeat(64)}`;
const hugo: SiteLock = { layout: 1, base, build: { kind: "hugo" }, hugo: "0.165.0" };
const folder: SiteLock = { layout: 1, base, build: { kind: "none", output: "." } };
const command: SiteLock = {
  layout: 1,
  base,
  build: { kind: "command", command: ["npm", "run", "it's built"], output: "dist" },
};

describe("the Dockerfile of a site", () => {
  it.each([
    ["hugo", hugo],
    ["folder", folder],
    ["command", command],
  ])("of a %s is the same bytes each time", async (name, lock) => {
    const text = renderDockerfile({ lock, port: 80 });
    expect(renderDockerfile({ lock: structuredClone(lock), port: 80 })).toBe(text);
    await expect(text).toMatchFileSnapshot(`golden/${name}.Dockerfile`);
    await expect(renderDockerignore(lock)).toMatchFileSnapshot(`golden/${name}.dockerignore`);
  });

  it("pins the base by its digest and the builder by its version", () => {
    const lines = renderDockerfile({ lock: hugo, port: 80 }).split("\n");
    expect(lines).toContain(`ARG BASE=${base}`);
    expect(lines).toContain("ARG BUILDER=docker.io/hugomods/hugo:std-0.165.0");
    for (const lock of [hugo, folder, command]) {
      const builder = /^ARG BUILDER=.*:(.*)$/m.exec(renderDockerfile({ lock, port: 80 }))?.[1] ?? "latest";
      expect(isStaticTag(builder)).toBe(false);
    }
  });

  it("leaves compiler and source in the first stage", () => {
    const [, last = ""] = renderDockerfile({ lock: hugo, port: 80 }).split("# Stage 2");
    expect(last.match(/^(?:FROM|COPY|RUN|ADD|EXPOSE) .*$/gm)).toEqual([
      "FROM ${BASE}",
      "COPY --from=builder /site/ /",
      "EXPOSE 80",
    ]);
  });

  it("makes nginx' configuration byte for byte as castle's own image has it", () => {
    const release = "blog-0123456789ab";
    const text = renderDockerfile({ lock: folder, port: 8080 }).replaceAll("\\\n", "\n");
    for (const [path, wanted] of Object.entries(serverConfiguration({ release, port: 8080 }))) {
      const script = new RegExp(
        `RUN mkdir -p \\S+ && (printf (?:(?!\\nRUN)[\\s\\S])*?) > /site/${path}\\n`,
      ).exec(text)?.[1];
      // As a shell reads the joined lines.
      const joined = (script ?? "").replaceAll("\n", " ");
      const said = spawnSync("sh", ["-c", joined], { env: { PATH: "/usr/bin:/bin", RELEASE: release } });
      expect(said.stdout.toString()).toBe(wanted);
    }
  });
});
