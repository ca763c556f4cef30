import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { Layer } from "../../image/layer.ts";
import { blobFile, readLayoutImage } from "../../image/layout-image.ts";

const document = z.looseObject({
  architecture: z.enum(["amd64", "arm64"]),
  os: z.literal("linux"),
  config: z.looseObject({
    ExposedPorts: z.record(z.string(), z.unknown()).optional(),
    Labels: z.record(z.string(), z.string()).nullish(),
    Entrypoint: z.array(z.string()).nullish(),
    Cmd: z.array(z.string()).nullish(),
  }),
  rootfs: z.object({ diff_ids: z.array(z.string()) }),
  history: z.array(z.unknown()).optional(),
});

/** An image with nginx that a site is put on: castle's own, nginx's official one or its unprivileged one. */
export interface BaseImage {
  readonly digest: string;
  readonly layers: readonly Layer[];
  /** Its configuration, whole: entry point, user and environment stay what they are. */
  readonly document: z.infer<typeof document>;
  readonly port: number;
}

const OWN_PORT = 8080;

/** @throws CastleError build/base, image/layout-broken */
export async function readBaseImage(folder: string): Promise<BaseImage> {
  const image = await readLayoutImage(folder);
  const { digest } = image.manifest.descriptor;
  const text = await readFile(blobFile(folder, image.config.digest), "utf8");
  const parsed = document.safeParse(JSON.parse(text));
  if (!parsed.success) {
    throw refused(digest, `its configuration is of another kind: ${z.prettifyError(parsed.error)}`);
  }
  const { config, rootfs } = parsed.data;
  if (![...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].some((word) => /(?:^|\/)nginx$/.test(word))) {
    throw refused(digest, "it does not start nginx");
  }
  const ports = Object.keys(config.ExposedPorts ?? {}).flatMap((name) =>
    name.endsWith("/udp") ? [] : [Number.parseInt(name, 10)],
  );
  const [port = OWN_PORT, ...others] = ports;
  if (others.length > 0) throw refused(digest, `it listens on several ports: ${ports.join(", ")}`);
  const layers = image.layers.map((descriptor, index): Layer => {
    const diffId = rootfs.diff_ids[index];
    if (diffId === undefined) throw refused(digest, "its configuration knows fewer layers than its manifest");
    return { descriptor, diffId, file: blobFile(folder, descriptor.digest) };
  });
  return { digest, layers, document: parsed.data, port };
}

function refused(digest: string, why: string): CastleError {
  return new CastleError("build/base", {
    message: `the base image ${digest} cannot carry a site: ${why}. Nothing was pushed`,
    hint: "lock another base: castle publish --lock",
    details: { digest },
  });
}
