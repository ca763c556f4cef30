import { CastleError } from "../errors/castle-error.ts";
import type { OutputFormat } from "./flags.ts";

/** `-o json` is one document, and what is followed has no end. @throws CastleError command/usage */
export function refuseEndlessJson(output: OutputFormat): void {
  if (output !== "json") return;
  throw new CastleError("command/usage", {
    message: "--follow has no end, and -o json prints one document",
    hint: "leave one of them out",
  });
}
