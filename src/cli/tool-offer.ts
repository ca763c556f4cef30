import { CastleError } from "../errors/castle-error.ts";
import { ask } from "./confirm.ts";
import type { Context } from "./context.ts";

/**
 * Does work that may lack tools. What is missing is named all at once; on a terminal castle offers to install it and
 * goes on, elsewhere only `--install-tools` installs.
 * @throws CastleError parts/tools-missing
 */
export async function offerTools<T>(
  context: Context,
  install: boolean,
  work: (install: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await work(install);
  } catch (error) {
    if (install || !(error instanceof CastleError) || error.code !== "parts/tools-missing") throw error;
    const packages = error.details["packages"];
    if (!Array.isArray(packages) || packages.length === 0) throw error;
    const question = `${error.message}\nInstall ${packages.join(", ")} with apt-get?`;
    if (!(await ask(context, question))) throw error;
    return await work(true);
  }
}
