import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ImageRuntime, writeImageLayout } from "../../image/image-layout.ts";
import type { Layer } from "../../image/layer.ts";
import { writeLayer } from "../../image/layer-writer.ts";
import type { TarEntry } from "../../image/tar-entry.ts";
import type { ImageRecipe } from "./image-recipe.ts";

export interface ImageAssembly {
  readonly recipe: ImageRecipe;
  readonly architecture: ImageRuntime["architecture"];
  /** The layer that all based images share. */
  readonly baseLayer: Layer | undefined;
  /** File of the certificates, for a recipe that has them. */
  readonly certificates?: string | undefined;
  /** Files of the programs by the name of their part. */
  readonly programs: Readonly<Record<string, string>>;
  /** The layout's folder. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** Writes the OCI layout of one image. Unless told, layers are not compressed: five machines unpack each of them. */
export async function assembleImage(assembly: ImageAssembly): Promise<void> {
  const { recipe, architecture, baseLayer, programs, folder, signal } = assembly;
  const entries: TarEntry[] = [];
  const addFile = async (path: string, file: string, mode: number) => {
    addParents(entries, path);
    const { size } = await stat(file);
    entries.push({ type: "file", path: path.slice(1), mode, content: { file, size } });
  };
  for (const [path, part] of Object.entries(recipe.programs)) {
    const file = programs[part];
    if (file === undefined) throw new Error(`${recipe.name} needs the program ${part}`);
    await addFile(path, file, 0o755);
  }
  if (assembly.certificates !== undefined) {
    await addFile("/etc/ssl/certs/ca-certificates.crt", assembly.certificates, 0o644);
  }
  for (const folder of recipe.folders ?? []) {
    addParents(entries, folder);
    entries.push({ type: "directory", path: folder.slice(1), mode: 0o777 });
  }
  // Programs on nothing want a place for temporary files.
  if (!recipe.base) entries.push({ type: "directory", path: "tmp", mode: 0o1777 });
  const layer = await writeLayer(entries, {
    blobs: join(folder, "blobs", "sha256"),
    compression: recipe.compressed === true ? "gzip" : "none",
    signal,
  });
  await writeImageLayout(folder, baseLayer === undefined ? [layer] : [baseLayer, layer], {
    architecture,
    entrypoint: recipe.entrypoint,
    ...(recipe.command === undefined ? {} : { command: recipe.command }),
    ...(recipe.environment === undefined ? {} : { environment: recipe.environment }),
    ...(recipe.user === undefined ? {} : { user: recipe.user }),
    ...(recipe.workingDirectory === undefined ? {} : { workingDirectory: recipe.workingDirectory }),
  });
}

function addParents(entries: TarEntry[], path: string): void {
  for (const parent of parents(path)) {
    if (entries.some((entry) => entry.path === parent)) continue;
    entries.push({ type: "directory", path: parent, mode: 0o755 });
  }
}

function parents(path: string): string[] {
  const names = dirname(path)
    .split("/")
    .filter((name) => name !== "");
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}
