import type { Castle } from "../spec/castle.ts";
import type { ComponentName } from "./component.ts";
import { generatedFolder, overridesFolder } from "./synchronisation.ts";

/**
 * Whether a change of these files of the repository can change what a component applies: one of its own folder or of
 * its overrides can, another component's cannot, and whatever else lies in the repository can be included by any.
 * @param paths from the root of the repository
 */
export function isConcerned(
  gitops: NonNullable<Castle["gitops"]>,
  component: ComponentName,
  paths: readonly string[],
): boolean {
  const folders = [generatedFolder(gitops), overridesFolder(gitops)];
  return paths.some((path) => {
    const folder = folders.find((one) => path.startsWith(`${one}/`));
    // What lies beside the components' folders is castle's record of what it wrote.
    return folder === undefined || path.startsWith(`${folder}/${component}/`);
  });
}
