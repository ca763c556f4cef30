import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import { sha256 } from "../../support/sha256.ts";

export interface SeedImage {
  /** For example siderolabs/kubelet: what nodes ask for, without the registry's name. */
  readonly repository: string;
  readonly tag: string;
  /** Folder with index.json and blobs/sha256. */
  readonly layout: string;
}

const descriptorShape = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).optional(),
});
type Descriptor = z.infer<typeof descriptorShape>;

const indexShape = z.object({ manifests: z.array(descriptorShape).min(1) });
const manifestShape = z.object({ config: descriptorShape, layers: z.array(descriptorShape) });

const INDEX_TYPES = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);
const REFERENCE = "org.opencontainers.image.ref.name";

/**
 * Puts images into the registry's storage without going through it: blobs are hard links (copies across file systems),
 * the rest are links of a few bytes in Distribution's on-disk layout. The registry may run meanwhile; the tag comes
 * last, so that it never names something that is not whole. Seeding the same image again changes nothing.
 * @throws CastleError lan/image-broken
 */
export async function seedRegistry(storage: string, images: readonly SeedImage[]): Promise<void> {
  await everyOne(images.map((image) => seedImage(join(storage, "docker/registry/v2"), image)));
}

async function seedImage(root: string, image: SeedImage): Promise<void> {
  const text = await readFile(join(image.layout, "index.json"), "utf8").catch(() => {
    throw broken(image, "index.json is missing");
  });
  const manifest = choose(parse(image, indexShape, text, "index.json").manifests, image);
  const repository = join(root, "repositories", image.repository);
  await addManifest(manifest, { root, repository, image });
  const tag = join(repository, "_manifests/tags", image.tag);
  await writeLink(join(tag, "index", path(manifest), "link"), manifest);
  await writeLink(join(tag, "current/link"), manifest);
}

/** One image in a layout needs no name; of several the one with the tag as its reference is meant. */
function choose(manifests: readonly Descriptor[], image: SeedImage): Descriptor {
  const [only] = manifests;
  if (manifests.length === 1 && only !== undefined) return only;
  const named = manifests.find(({ annotations }) => {
    const reference = annotations?.[REFERENCE];
    return reference === image.tag || reference?.endsWith(`:${image.tag}`) === true;
  });
  if (named !== undefined) return named;
  throw broken(image, `index.json lists ${manifests.length} images and none is called ${image.tag}`);
}

interface Place {
  readonly root: string;
  readonly repository: string;
  readonly image: SeedImage;
}

async function addManifest(descriptor: Descriptor, place: Place): Promise<void> {
  const { image, repository } = place;
  const source = blobOf(image, descriptor);
  const content = await readFile(source).catch(() => {
    throw broken(image, `the manifest ${descriptor.digest} is missing`);
  });
  if (`sha256:${sha256(content)}` !== descriptor.digest) {
    throw broken(image, `the manifest ${descriptor.digest} has other content than its name says`);
  }
  const text = content.toString("utf8");
  if (INDEX_TYPES.has(descriptor.mediaType)) {
    const { manifests } = parse(image, indexShape, text, descriptor.digest);
    const present = await Promise.all(
      manifests.map(async (child) => ((await has(image, child)) ? child : undefined)),
    );
    const children = present.filter((child) => child !== undefined);
    // A layout may leave out platforms, but not all of them.
    if (children.length === 0) throw broken(image, `no platform of ${descriptor.digest} is there`);
    await everyOne(children.map((child) => addManifest(child, place)));
  } else {
    const { config, layers } = parse(image, manifestShape, text, descriptor.digest);
    await everyOne([config, ...layers].map((blob) => addLayer(blob, place)));
  }
  await addBlob(descriptor, place);
  await writeLink(join(repository, "_manifests/revisions", path(descriptor), "link"), descriptor);
}

async function addLayer(descriptor: Descriptor, place: Place): Promise<void> {
  await addBlob(descriptor, place);
  await writeLink(join(place.repository, "_layers", path(descriptor), "link"), descriptor);
}

async function addBlob(descriptor: Descriptor, { root, image }: Place): Promise<void> {
  const source = blobOf(image, descriptor);
  const found = await stat(source).catch(() => {
    throw broken(image, `the blob ${descriptor.digest} is missing`);
  });
  if (found.size !== descriptor.size) {
    throw broken(
      image,
      `the blob ${descriptor.digest} has ${found.size} bytes instead of ${descriptor.size}`,
    );
  }
  const hex = hexOf(descriptor);
  const target = join(root, "blobs/sha256", hex.slice(0, 2), hex, "data");
  const existing = await stat(target).catch(() => undefined);
  if (existing?.size === descriptor.size) return;
  await mkdir(dirname(target), { recursive: true });
  // A blob of another size is the rest of an interrupted push.
  await rm(target, { force: true });
  try {
    await link(source, target);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return;
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK") throw error;
    await copyWhole(source, target);
  }
}

async function copyWhole(source: string, target: string): Promise<void> {
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    await copyFile(source, temporary, constants.COPYFILE_FICLONE);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeLink(file: string, { digest }: Descriptor): Promise<void> {
  const existing = await readFile(file, "latin1").catch(() => undefined);
  if (existing === digest) return;
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}.tmp`;
  await writeFile(temporary, digest);
  await rename(temporary, file);
}

function parse<T>(image: SeedImage, shape: z.ZodType<T>, text: string, what: string): T {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw broken(image, `${what} is not JSON`);
  }
  const parsed = shape.safeParse(content);
  if (parsed.success) return parsed.data;
  throw broken(image, `${what} is not what OCI says: ${z.prettifyError(parsed.error)}`);
}

/** As Promise.all, but nothing is still writing when it rejects. */
async function everyOne(works: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

async function has(image: SeedImage, descriptor: Descriptor): Promise<boolean> {
  return stat(blobOf(image, descriptor)).then(
    () => true,
    () => false,
  );
}

function blobOf(image: SeedImage, descriptor: Descriptor): string {
  return join(image.layout, "blobs", path(descriptor));
}

/** sha256/HEX */
function path(descriptor: Descriptor): string {
  return descriptor.digest.replace(":", "/");
}

function hexOf(descriptor: Descriptor): string {
  return descriptor.digest.slice("sha256:".length);
}

function broken(image: SeedImage, what: string): CastleError {
  return new CastleError("lan/image-broken", {
    message: `the image ${image.repository}:${image.tag} in ${image.layout} is broken: ${what}`,
    hint: "castle parts verify",
    details: { repository: image.repository, tag: image.tag, layout: image.layout },
  });
}
