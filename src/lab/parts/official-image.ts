import type { Part } from "./part.ts";

/** Where the official image of a part is to be had. */
export interface OfficialImage {
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
  /** The program in it that the part is; without it the part is the image, or all files in it. */
  readonly program?: string;
}

/**
 * Programs that the lab or castle itself runs on this machine, by the names of their parts. Of runc, the Terraform
 * provider and castle's own programs there is no official image: they are always built.
 */
const programs: Readonly<
  Record<string, (version: string) => Omit<OfficialImage, "program"> & { program: string }>
> = {
  talosctl: (tag) => ({ host: "ghcr.io", repository: "siderolabs/talosctl", tag, program: "talosctl" }),
  kubectl: (tag) => ({ host: "registry.k8s.io", repository: "kubectl", tag, program: "bin/kubectl" }),
  etcdctl: (tag) => ({
    host: "gcr.io",
    repository: "etcd-development/etcd",
    tag,
    program: "usr/local/bin/etcdctl",
  }),
  // Docker Hub's tags have no v.
  registry: (version) => ({
    host: "docker.io",
    repository: "library/registry",
    tag: version.slice(1),
    program: "bin/registry",
  }),
  pebble: (version) => ({
    host: "ghcr.io",
    repository: "letsencrypt/pebble",
    tag: version.slice(1),
    program: "app",
  }),
  coredns: (version) => ({
    host: "docker.io",
    repository: "coredns/coredns",
    tag: version.slice(1),
    program: "coredns",
  }),
};

/** The official image that stands for a part; undefined where there is none and the part is always built. */
export function officialImage({ name, source, version }: Part): OfficialImage | undefined {
  if (source.kind === "node-rootfs") return { host: "ghcr.io", repository: "siderolabs/talos", tag: version };
  if (source.kind === "go") return programs[name]?.(version);
  // Castle's own images are to be had nowhere.
  if (source.kind !== "image" || source.recipe.own === true) return undefined;
  const { repository, tags } = source.recipe;
  const slash = repository.indexOf("/");
  const [tag = "latest"] = tags;
  return { host: repository.slice(0, slash), repository: repository.slice(slash + 1), tag };
}
