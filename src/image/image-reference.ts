import { CastleError } from "../errors/castle-error.ts";

/** An image's full name: `registry.lan:5000/tazlab/blog:v1` or `…@sha256:…`. */
export interface ImageReference {
  /** Host, with port where it is not the default. */
  readonly registry: string;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

const pattern =
  /^(?<registry>[a-zA-Z0-9.-]+(?::\d+)?)\/(?<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?<tag>[\w][\w.-]{0,127})|@(?<digest>sha256:[0-9a-f]{64}))$/;

/** @throws CastleError image/reference-invalid */
export function parseImageReference(text: string): ImageReference {
  const groups = pattern.exec(text)?.groups;
  const registry = groups?.["registry"];
  const repository = groups?.["repository"];
  const reference = groups?.["tag"] ?? groups?.["digest"];
  // Without a dot or a port the first word is a folder of Docker's own registry, which nobody here means.
  const isHost = registry !== undefined && (/[.:]/.test(registry) || registry === "localhost");
  if (!isHost || repository === undefined || reference === undefined) {
    throw new CastleError("image/reference-invalid", {
      message: `"${text}" is not an image reference: expected registry/repository:tag`,
      hint: "write the registry's host as well, for example registry.lan/tazlab/blog:v1",
    });
  }
  return { registry, repository, reference };
}
