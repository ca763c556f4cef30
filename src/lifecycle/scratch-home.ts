import { copyFile, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pid } from "node:process";
import { identify } from "../support/process-identity.ts";
import type { CastleHome } from "./home.ts";

const PREFIX = "look-";
const STATE = ["terraform.tfstate", ".terraform.lock.hcl"] as const;

/**
 * Gives work that only looks a home in which nobody else works: Terraform's state as it is now, its provider by a link,
 * and a copy of the GitOps repository of its own. So looking needs no lock, and waits for nobody.
 */
export async function withScratchHome<T>(
  home: CastleHome,
  work: (home: CastleHome) => Promise<T>,
): Promise<T> {
  await sweep(home);
  const folder = await mkdtemp(join(home.folder, `${PREFIX}${pid}-`));
  try {
    const terraform = join(folder, "terraform");
    await copyTerraform(home.terraform, terraform);
    return await work({ ...home, terraform, gitops: join(folder, "gitops") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copyTerraform(from: string, to: string): Promise<void> {
  const there = new Set(await readdir(from).catch(() => []));
  await mkdir(to, { mode: 0o700 });
  const files = STATE.filter((name) => there.has(name));
  await Promise.all(files.map((name) => copyFile(join(from, name), join(to, name))));
  if (there.has(".terraform")) await symlink(join(from, ".terraform"), join(to, ".terraform"));
}

/** What a killed look left. */
async function sweep({ folder }: CastleHome): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!Number.isInteger(owner) || (await identify(owner)) !== undefined) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
