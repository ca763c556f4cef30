import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CastleError } from "../errors/castle-error.ts";
import type { Context, Output } from "./context.ts";

/**
 * Asks before something is destroyed; with --yes, or where nobody can be asked, it does not ask.
 * @throws CastleError lifecycle/needs-yes
 */
export async function confirm(context: Context, yes: boolean, what: string): Promise<void> {
  if (yes || (await ask(context, `This will ${what}. Go on?`))) return;
  throw new CastleError("lifecycle/needs-yes", {
    message: `This would ${what}, and nothing was done`,
    hint: "the same command with --yes",
  });
}

/** Yes or no from the person at the terminal; where there is none, no, without asking. */
export async function ask(context: Context, question: string): Promise<boolean> {
  const { stdin, stderr } = context.process;
  if (!context.interactive || stdin.isTTY !== true) return false;
  const prompt = createInterface({ input: stdin, output: writing(stderr) });
  try {
    const reply = await prompt.question(`${question} [y/N] `, { signal: context.signal });
    return /^y(es)?$/i.test(reply.trim());
  } finally {
    prompt.close();
  }
}

function writing(output: Output): Writable {
  return new Writable({
    write: (text: Buffer, _encoding, done) => {
      output.write(text.toString());
      done();
    },
  });
}
