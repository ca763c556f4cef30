import { copyFile, mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { openScratch } from "../support/scratch-folder.ts";
import type { CastleHome } from "./home.ts";

const STATE = ["terraform.tfstate", ".terraform.lock.hcl"] as const;

/**
 * Gives work that only looks a home in which nobody else works: Terraform's state as it is now, its provider by a link,
 * and a copy of the GitOps repository of its own. So looking needs no lock, and waits for nobody.
 */
export async function withScratchHome<T>(
  home: CastleHome,
  work: (home: CastleHome) => Promise<T>,
): Promise<T> {
  const scratch = await openScratch("look", home.folder);
  try {
    const terraform = join(scratch.path, "terraform");
    await copyTerraform(home.terraform, terraform);
    return await work({ ...home, terraform, gitops: join(scratch.path, "gitops") });
  } finally {
    await scratch.remove();
  }
}

async function copyTerraform(from: string, to: string): Promise<void> {
  const there = new Set(await readdir(from).catch(() => []));
  await mkdir(to, { mode: 0o700 });
  const files = STATE.filter((name) => there.has(name));
  await Promise.all(files.map((name) => copyFile(join(from, name), join(to, name))));
  if (there.has(".terraform")) await symlink(join(from, ".terraform"), join(to, ".terraform"));
}
