import { readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import type { Castle } from "../spec/castle.ts";
import { formatFaults } from "../spec/fault-text.ts";
import { parseSpec } from "../spec/parse.ts";
import { renderTemplate } from "../spec/template.ts";
import type { Context } from "./context.ts";

export interface SpecFile {
  readonly castle: Castle;
  readonly path: string;
  /** What the file says, byte for byte. */
  readonly text: string;
  /** Where `.castle/` and the encrypted secrets lie. */
  readonly folder: string;
}

/** @throws CastleError spec/not-found, spec/invalid with every fault in `details.faults` */
export async function readSpecFile(context: Context, file: string): Promise<SpecFile> {
  const path = resolve(context.cwd, file);
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new CastleError("spec/not-found", {
      message:
        cause.code === "ENOENT" ? `There is no ${file} here` : `${file} cannot be read: ${cause.message}`,
      hint: "castle init writes one; -f FILE names another",
      cause,
    });
  });
  const parsed = parseSpec(text, file);
  if ("faults" in parsed) {
    throw new CastleError("spec/invalid", {
      message: formatFaults(parsed.faults, text),
      hint: "castle validate shows the faults again",
      details: { faults: parsed.faults },
    });
  }
  return { castle: parsed.castle, path, text, folder: dirname(path) };
}

/** @throws CastleError spec/exists */
export async function writeTemplate(
  context: Context,
  file: string,
  { name, kind }: { readonly name: string; readonly kind: "lab" | "proxmox" },
): Promise<string> {
  const path = resolve(context.cwd, file);
  const text = renderTemplate(name, kind);
  const parsed = parseSpec(text, file);
  if ("faults" in parsed) {
    throw new CastleError("spec/invalid", {
      message: formatFaults(parsed.faults, text),
      hint: "choose another --name",
      details: { faults: parsed.faults },
    });
  }
  await writeFile(path, text, { flag: "wx" }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST") throw cause;
    throw new CastleError("spec/exists", {
      message: `${file} is there already and is not overwritten`,
      hint: "castle validate checks it; -f FILE writes another",
      cause,
    });
  });
  return path;
}
