import { link, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Layer } from "../../image/layer.ts";
import { writeLayer } from "../../image/layer-writer.ts";
import { treeEntries } from "../../image/tree-entries.ts";
import { mediaTypes } from "../../image/descriptor.ts";
import { run } from "../../support/run.ts";
import { imageBase } from "./debian-base.ts";
import { unpackDebian } from "./debian-tree.ts";
import type { GoToolchain } from "./go-toolchain.ts";
import { assembleImage } from "./image-assembly.ts";
import { writeNginxBase } from "./nginx-base.ts";
import { assembleNodeRootfs } from "./node-rootfs.ts";
import { type Part, singleProgram } from "./part.ts";
import type { PartsStore } from "./store.ts";

export interface Workshop {
  readonly store: PartsStore;
  readonly go: GoToolchain;
  /** Where Debian packages are kept while parts are made. */
  readonly downloads: string;
  readonly signal?: AbortSignal | undefined;
}

/** Makes one part in an empty folder; its needs are in the store. */
export async function makePart(part: Part, folder: string, workshop: Workshop): Promise<void> {
  const { store, go, downloads, signal } = workshop;
  const { source } = part;
  switch (source.kind) {
    case "go":
      return go.build(source, folder);
    case "module-files":
      return go.copyFiles(source, folder);
    case "c": {
      const target = join(folder, singleProgram(part) ?? part.name);
      await run("gcc", ["-Os", "-static", "-s", "-o", target, join(store.modules, source.file)]);
      return;
    }
    case "image-base": {
      const tree = join(folder, "tree");
      await unpackDebian(imageBase, { folder: tree, downloads, signal });
      await writeLayer(await treeEntries(tree), { blobs: folder, compression: "none", signal });
      await rm(tree, { recursive: true });
      return;
    }
    case "ca-certificates":
      return certificates(folder, workshop);
    case "nginx-base":
      return writeNginxBase({
        folder,
        configuration: join(store.modules, "nginx"),
        downloads,
        architecture: store.architecture,
        signal,
      });
    case "image": {
      const { recipe } = source;
      const programs: Record<string, string> = {};
      for (const need of Object.values(recipe.programs)) programs[need] = await store.resolve(need);
      const baseLayer = recipe.base ? await storedLayer(await store.resolve("image-base")) : undefined;
      const certificates =
        recipe.certificates === true ? join(await store.resolve("ca-certificates"), BUNDLE) : undefined;
      const { architecture } = store;
      return assembleImage({ recipe, architecture, baseLayer, certificates, programs, folder, signal });
    }
    case "node-rootfs":
      return assembleNodeRootfs(
        {
          machined: await store.resolve("machined"),
          containerd: await store.resolve("containerd"),
          runc: await store.resolve("runc"),
          plugins: await store.resolve("cni-plugins"),
          flannel: await store.resolve("flannel-cni"),
          files: await store.resolve("talos-files"),
        },
        { folder, downloads, signal },
      );
    case "node-images": {
      const images = await Promise.all(
        source.images.map(async ({ part: image, ...about }) => ({
          ...about,
          layout: await store.resolve(image),
        })),
      );
      const input = JSON.stringify(images);
      await run(await store.resolve("image-unpacker"), [folder], { input, timeout: 300_000 });
      return;
    }
    case "provider-mirror":
      return mirror({
        folder,
        address: source.address,
        version: part.version.slice(1),
        program: await store.resolve(source.program),
        architecture: store.architecture,
      });
  }
}

const BUNDLE = "ca-certificates.crt";

async function certificates(folder: string, { downloads, signal }: Workshop): Promise<void> {
  const tree = join(folder, "tree");
  await unpackDebian({ packages: ["ca-certificates"], drop: [] }, { folder: tree, downloads, signal });
  await rename(join(tree, "etc/ssl/certs", BUNDLE), join(folder, BUNDLE));
  await rm(tree, { recursive: true });
}

/** The one blob of the image base; its name is its digest. */
async function storedLayer(folder: string): Promise<Layer> {
  const [name = ""] = await readdir(folder);
  const file = join(folder, name);
  const digest = `sha256:${name}`;
  const { size } = await stat(file);
  return { descriptor: { mediaType: mediaTypes.tarLayer, digest, size }, diffId: digest, file };
}

interface Mirror {
  readonly folder: string;
  readonly address: string;
  readonly version: string;
  readonly program: string;
  readonly architecture: string;
}

/** Terraform's unpacked layout, under both registries' names: the two tools ask for different ones. */
async function mirror({ folder, address, version, program, architecture }: Mirror): Promise<void> {
  for (const registry of ["registry.terraform.io", "registry.opentofu.org"]) {
    const home = join(folder, registry, address, version, `linux_${architecture}`);
    await mkdir(home, { recursive: true });
    await link(program, join(home, `${basename(program)}_v${version}`));
  }
}
