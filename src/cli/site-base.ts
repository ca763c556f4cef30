import { randomBytes } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { parseImageName } from "../image/image-name.ts";
import { pullImage } from "../image/image-pull.ts";
import { readLayoutImage } from "../image/layout-image.ts";
import type { RegistryClient } from "../image/registry-client.ts";
import { exists } from "../support/exists.ts";
import type { Context } from "./context.ts";
import { openParts } from "./parts-session.ts";
import { imageRegistry } from "./registry-session.ts";

/** castle's own base, as a lock names it. */
export const OWN_BASE = "castle.local/nginx-base";

/** The digest of this machine's own base, for a new lock. @throws CastleError parts/missing */
export async function ownBase(context: Context): Promise<string> {
  const { manifest } = await readLayoutImage(await openParts(context).resolve("nginx-base"));
  return `${OWN_BASE}@${manifest.descriptor.digest}`;
}

export interface BaseChoice {
  /** `REGISTRY/REPOSITORY@sha256:…` */
  readonly base: string;
  /** Folder of castle's cache. */
  readonly cache: string;
  /** The registry that the site goes to, where castle's own base lies too. */
  readonly registry: RegistryClient;
  readonly insecure: readonly string[];
}

/**
 * The lock's base as a layout on disk: this machine's own part where it is that very one, otherwise pulled once by its
 * digest and kept.
 * @throws CastleError image/…
 */
export async function ensureBase(context: Context, choice: BaseChoice): Promise<string> {
  const [name = "", digest = ""] = choice.base.split("@");
  const own = await openParts(context)
    .resolve("nginx-base")
    .catch(() => undefined);
  if (own !== undefined && (await readLayoutImage(own)).manifest.descriptor.digest === digest) return own;
  const folder = join(choice.cache, "bases", digest.replace(":", "-"));
  if (await exists(join(folder, "index.json"))) return folder;
  const draft = `${folder}.${randomBytes(6).toString("hex")}`;
  try {
    const image = parseImageName(name);
    await pullImage(await baseRegistry(context, name, choice), {
      repository: image.repository,
      reference: digest,
      architecture: arch() === "arm64" ? "arm64" : "amd64",
      folder: draft,
      signal: context.signal,
    });
    // Somebody may have pulled the same meanwhile: one of the two is as good as the other.
    await rename(draft, folder).catch(async (error: unknown) => {
      if (!(await exists(join(folder, "index.json")))) throw error;
    });
    return folder;
  } catch (error) {
    if (!(error instanceof CastleError)) throw error;
    throw new CastleError(error.code, {
      message: `The base that castle.lock names cannot be had: ${error.message}`,
      hint: "castle publish --lock pins the base of this machine",
      cause: error,
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function baseRegistry(
  context: Context,
  name: string,
  { registry, insecure }: BaseChoice,
): Promise<RegistryClient> {
  return name === OWN_BASE ? registry : imageRegistry(context, parseImageName(name), insecure);
}
