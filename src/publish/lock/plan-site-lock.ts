import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SiteBuild, SiteLock } from "../release.ts";
import { LOCK_FILE, parseSiteLock, renderSiteLock } from "./site-lock.ts";

export interface LockWishes {
  /** The site's folder. */
  readonly folder: string;
  /** `REGISTRY/REPOSITORY@sha256:…` of one platform's manifest. */
  readonly base: string;
  /** Version of the Hugo that is here; used where the site is one of Hugo's. */
  readonly hugo: string;
  /** Undefined: as the lock that is there says, else as the folder looks. */
  readonly build?: SiteBuild | undefined;
}

export interface LockPlan {
  /** The file. */
  readonly path: string;
  readonly lock: SiteLock;
  /** What shall stand in it. */
  readonly text: string;
  /** Whether it stands there already. */
  readonly same: boolean;
}

/** What `castle publish --lock` writes: the pins of today, and what a person wrote into the lock by hand. */
export async function planSiteLock({ folder, base, hugo, build }: LockWishes): Promise<LockPlan> {
  const path = join(folder, LOCK_FILE);
  const present = await readFile(path, "utf8").catch(() => "");
  const parsed = parseSiteLock(present);
  const before = parsed.ok ? parsed.lock : undefined;
  const chosen = build ?? before?.build ?? (await buildOf(folder));
  const lock: SiteLock = {
    layout: 1,
    base,
    build: chosen,
    ...(chosen.kind === "hugo" ? { hugo } : {}),
    ...(before?.notSecret === undefined ? {} : { notSecret: before.notSecret }),
  };
  const text = renderSiteLock(lock);
  return { path, lock, text, same: text === present };
}

/** A folder with Hugo's configuration is a site of Hugo's; anything else is served as it lies there. */
async function buildOf(folder: string): Promise<SiteBuild> {
  const names = await readdir(folder);
  const settings = await readdir(join(folder, "config", "_default")).catch((): string[] => []);
  const isHugo =
    names.some((name) => /^(?:hugo|config)\.(?:toml|ya?ml|json)$/.test(name)) ||
    settings.some((name) => /\.(?:toml|ya?ml|json)$/.test(name));
  return isHugo ? { kind: "hugo" } : { kind: "none", output: "." };
}
