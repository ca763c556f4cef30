import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pullImage } from "../../image/image-pull.ts";
import { blobFile, readLayoutImage } from "../../image/layout-image.ts";
import { RegistryClient } from "../../image/registry-client.ts";
import type { Report } from "../../journal/step.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";
import { type OfficialImage, officialImage } from "./official-image.ts";
import { type Part, type PartSet, singleProgram } from "./part.ts";
import type { PartsStore } from "./store.ts";
import { withStoreLock } from "./store-lock.ts";

export interface PullOptions {
  readonly report: Report;
  /** Endpoint for a registry's host, where it is not `https://HOST`: a mirror on the LAN. */
  readonly mirrors?: Readonly<Record<string, string>>;
  readonly sets?: readonly PartSet[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes the official images instead of building: those that the nodes run, Talos' own image as the nodes' root file
 * system, and programs out of theirs. Parts that are there already are left.
 * @returns names of the parts pulled
 * @throws CastleError image/registry-unreachable, image/not-found, image/digest-mismatch, parts/busy
 */
export async function pullParts(store: PartsStore, options: PullOptions): Promise<string[]> {
  const sets = options.sets ?? ["machines"];
  return withStoreLock(store.objects.root, async () => {
    await store.objects.clearStaging();
    const pulled: string[] = [];
    for (const part of store.catalogue) {
      if (!sets.includes(part.set)) continue;
      const origin = officialImage(part);
      if (origin === undefined) continue;
      if ((await store.objects.look(await store.key(part.name))).state === "whole") continue;
      await pullOne(store, { part, origin }, options);
      pulled.push(part.name);
    }
    return pulled;
  });
}

/** Where a registry's API has another host than its images' names. */
const API_HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

async function pullOne(
  store: PartsStore,
  { part, origin }: { readonly part: Part; readonly origin: OfficialImage },
  { report, mirrors, signal }: PullOptions,
): Promise<void> {
  const id = `pull-${part.name}`;
  const begun = performance.now();
  report({ type: "started", id, title: `${origin.host}/${origin.repository}:${origin.tag}` });
  const registry = new RegistryClient({
    endpoint: mirrors?.[origin.host] ?? `https://${API_HOSTS[origin.host] ?? origin.host}`,
    signal,
  });
  const staged = await store.objects.stage();
  try {
    const layout = part.source.kind === "image" ? staged : await store.objects.stage();
    await pullImage(registry, {
      repository: origin.repository,
      reference: origin.tag,
      architecture: store.architecture,
      folder: layout,
      signal,
      onBlob: (blob) =>
        report({ type: "progress", id, message: `${blob.digest.slice(7, 19)}, ${blob.size} bytes` }),
    });
    if (layout !== staged) await takeOut(layout, staged, { part, origin, signal });
    const key = await store.key(part.name);
    await store.objects.put(staged, { name: part.name, version: part.version, key, origin: "pulled" });
    report({ type: "finished", id, milliseconds: performance.now() - begun });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    report({ type: "failed", id, milliseconds: performance.now() - begun, error: said });
    throw error;
  } finally {
    await store.objects.clearStaging();
  }
}

interface Taking {
  readonly part: Part;
  readonly origin: OfficialImage;
  readonly signal: AbortSignal | undefined;
}

/** All that is in an image, or its one program under the name that the part has it by. */
async function takeOut(layout: string, folder: string, { part, origin, signal }: Taking): Promise<void> {
  const { program } = origin;
  if (program === undefined) return unpackImage(layout, folder, signal);
  const tree = join(layout, "tree");
  await mkdir(tree);
  await unpackImage(layout, tree, signal);
  const found = await lstat(join(tree, program)).catch(() => undefined);
  // A link would lead to a file of this machine.
  if (found?.isFile() !== true) {
    throw new CastleError("image/layout-broken", {
      message: `${origin.host}/${origin.repository}:${origin.tag} holds no program ${program}`,
      hint: "castle parts build makes it instead",
    });
  }
  await rename(join(tree, program), join(folder, singleProgram(part) ?? part.name));
}

/** Unpacks an image's layers over each other. */
async function unpackImage(layout: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const { layers } = await readLayoutImage(layout);
  for (const layer of layers) {
    const args = ["-x", "--no-same-owner", "-p", "-f", blobFile(layout, layer.digest), "-C", folder];
    await run("tar", args, { timeout: 300_000, ...(signal === undefined ? {} : { signal }) });
    const marks = (await readdir(folder, { recursive: true })).filter((path) => /(^|\/)\.wh\./.test(path));
    if (marks.some((path) => path.endsWith("/.wh..wh..opq"))) {
      throw new CastleError("image/layout-broken", {
        message: `layer ${layer.digest} replaces a whole folder, which castle cannot unpack`,
      });
    }
    for (const mark of marks) {
      await rm(join(folder, mark), { force: true });
      await rm(join(folder, mark.replace(/(^|\/)\.wh\./, "$1")), { recursive: true, force: true });
    }
  }
}
