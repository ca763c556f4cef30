import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { imageBase, nginxBase, nodeBase } from "./debian-base.ts";
import type { Part } from "./part.ts";
import { sha256 } from "../../support/sha256.ts";

/** Raise it when the code that assembles parts changes what comes out. */
const ASSEMBLY = 1;

export interface RecipeInputs {
  readonly catalogue: readonly Part[];
  /** The folder `parts/` with the pinned modules. */
  readonly modules: string;
  readonly architecture: "amd64" | "arm64";
}

/**
 * The key of every part by name: a hash of all that its content depends on, the keys of its needs among
 * it. A changed pin changes the keys of just the parts that are made with it.
 */
export async function recipeKeys(inputs: RecipeInputs): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>();
  const folders = new Map<string, Promise<string>>();
  for (const part of inputs.catalogue) {
    const needs = part.needs.map((need) => {
      const key = keys.get(need);
      if (key === undefined) {
        throw new CastleError("parts/unknown", {
          message: `${part.name} needs ${need}, which is not before it`,
        });
      }
      return key;
    });
    const folder = sourceFolder(part);
    let sources = "";
    if (folder !== undefined) {
      const known = folders.get(folder) ?? folderHash(join(inputs.modules, folder));
      folders.set(folder, known);
      sources = await known;
    }
    const { name, version, source } = part;
    const recipe = [ASSEMBLY, inputs.architecture, name, version, source, debianBase(part), sources, needs];
    keys.set(name, sha256(JSON.stringify(recipe)));
  }
  return keys;
}

function sourceFolder({ source }: Part): string | undefined {
  if (source.kind === "go" || source.kind === "module-files") return source.group;
  if (source.kind === "nginx-base") return "nginx";
  if (source.kind === "c") return source.file.split("/")[0];
  return undefined;
}

function debianBase({ source }: Part): unknown {
  if (source.kind === "node-rootfs") return nodeBase;
  if (source.kind === "nginx-base") return nginxBase;
  return source.kind === "image-base" ? imageBase : undefined;
}

async function folderHash(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await readdir(folder)).sort()) {
    // Tests are not in what is built.
    if (name.endsWith("_test.go")) continue;
    hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  }
  return hash.digest("hex");
}
