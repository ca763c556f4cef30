import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { renderDockerfile } from "../publish/dockerfile/dockerfile.ts";
import { renderDockerignore } from "../publish/dockerfile/dockerignore.ts";
import { LOCK_FILE, parseSiteLock } from "../publish/lock/site-lock.ts";
import { readBaseImage } from "../publish/pack/base-image.ts";
import type { SiteLock } from "../publish/release.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { publishCache } from "./places.ts";
import { sourceFolder, withTarget } from "./publish-command.ts";
import type { TargetChoice } from "./publish-target.ts";
import { ensureBase } from "./site-base.ts";

/** Writes what buildah and Docker need to build the site's image, into the site's folder for its author to commit. */
export async function writeDockerfile(
  context: Context,
  choice: TargetChoice,
): Promise<AnswerOf<"DockerfileWritten">> {
  return withTarget(context, choice, async (target) => {
    const folder = sourceFolder(target);
    const lock = await lockIn(folder);
    const { registry, site } = target;
    const cache = publishCache(context);
    const base = await ensureBase(context, { base: lock.base, cache, registry, insecure: choice.insecure });
    const { port } = await readBaseImage(base);
    const texts = { Dockerfile: renderDockerfile({ lock, port }), ".dockerignore": renderDockerignore(lock) };
    const files = await Promise.all(
      Object.entries(texts).map(async ([name, text]) => {
        const path = join(folder, name);
        const changed = (await readFile(path, "utf8").catch(() => undefined)) !== text;
        if (changed) await writeFile(path, text);
        return { path, changed };
      }),
    );
    return {
      kind: "DockerfileWritten",
      data: { site: site.name, port, files },
      text: files.map(({ path, changed }) => `${changed ? "Wrote" : "Up to date:"} ${path}`).join("\n"),
    };
  });
}

async function lockIn(folder: string): Promise<SiteLock> {
  const text = await readFile(join(folder, LOCK_FILE), "utf8").catch(() => undefined);
  const parsed = text === undefined ? undefined : parseSiteLock(text);
  if (parsed?.ok === true) return parsed.lock;
  throw new CastleError(text === undefined ? "source/lock-missing" : "source/lock-invalid", {
    message: `${folder} has no ${LOCK_FILE} that says what the image is made of`,
    hint: "castle publish --lock",
  });
}
