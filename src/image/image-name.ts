import { CastleError } from "../errors/castle-error.ts";

/** An image without tag and digest, read as Docker reads it: `tazzo/tazlab.net` lies at Docker Hub. */
export interface ImageName {
  /** docker.io, or a host with port where it is not the default. */
  readonly registry: string;
  readonly repository: string;
}

const HUB = "docker.io";
const REPOSITORY = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const HOST = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?(?::[0-9]{1,5})?$/i;

/** @throws CastleError image/reference-invalid */
export function parseImageName(text: string): ImageName {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  // Without a dot or a port the first word is a folder at Docker Hub.
  const isHost = /[.:]/.test(first) || first === "localhost";
  const named = isHost ? text.slice(slash + 1) : text;
  const registry = isHost && first !== "index.docker.io" && first !== "registry-1.docker.io" ? first : HUB;
  const repository = registry === HUB && !named.includes("/") ? `library/${named}` : named;
  if (!HOST.test(registry) || !REPOSITORY.test(repository)) {
    throw new CastleError("image/reference-invalid", {
      message: `"${text}" is not the name of an image: expected registry/repository, or a name at Docker Hub`,
      hint: "write it without tag and digest, for example registry.lan/tazlab/blog",
    });
  }
  return { registry: registry.toLowerCase(), repository };
}

/** Whether two names mean the same image; what is no name means none. */
export function isSameImage(one: string, other: string): boolean {
  return canonical(one) !== undefined && canonical(one) === canonical(other);
}

function canonical(text: string): string | undefined {
  try {
    const { registry, repository } = parseImageName(text);
    return `${registry}/${repository}`;
  } catch {
    return undefined;
  }
}

/** Under what name a login for this image alone stands in a file that a kubelet reads; it knows Docker Hub as one whole. */
export function pullScope({ registry, repository }: ImageName): string {
  return registry === HUB ? "https://index.docker.io/v1/" : `${registry}/${repository}`;
}

/** Where a registry's API answers. On the loopback nobody expects a certificate, as with Docker. */
export function registryEndpoint(registry: string, isPlain = isLoopback(registry)): string {
  return registry === HUB ? "https://registry-1.docker.io" : `${isPlain ? "http" : "https"}://${registry}`;
}

function isLoopback(registry: string): boolean {
  return /^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])(?::[0-9]+)?$/.test(registry);
}
