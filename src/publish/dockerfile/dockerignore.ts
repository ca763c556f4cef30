import { REPOSITORY_FILES } from "../build/repository-files.ts";
import type { SiteLock } from "../release.ts";

/** What Hugo leaves in its folder where it is run by hand. */
const LEFT_BY_HUGO = [".hugo_build.lock", "public", "resources"];

/** What is no part of a site's image: the same names that castle publish leaves out. */
export function renderDockerignore({ build }: SiteLock): string {
  const names = [...REPOSITORY_FILES, ...(build.kind === "hugo" ? LEFT_BY_HUGO : [])];
  return `# Made by castle publish --dockerfile.\n${names.toSorted().join("\n")}\n`;
}
