import { createInterface } from "node:readline/promises";
import { CastleError } from "../errors/castle-error.ts";
import type { Context } from "./context.ts";

/**
 * Asks before something is destroyed; with --yes, or where nobody can be asked, it does not ask.
 * @throws CastleError lifecycle/needs-yes
 */
export async function confirm(context: Context, yes: boolean, what: string): Promise<void> {
  if (yes) return;
  const { stdin, stderr } = context.process;
  if (context.interactive && stdin.isTTY === true) {
    const prompt = createInterface({ input: stdin, output: stderr as NodeJS.WritableStream });
    try {
      const reply = await prompt.question(`This will ${what}. Go on? [y/N] `, { signal: context.signal });
      if (/^y(es)?$/i.test(reply.trim())) return;
    } finally {
      prompt.close();
    }
  }
  throw new CastleError("lifecycle/needs-yes", {
    message: `This would ${what}, and nothing was done`,
    hint: "the same command with --yes",
  });
}
