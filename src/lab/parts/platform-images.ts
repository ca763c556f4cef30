import type { ImageRecipe } from "./image-recipe.ts";
import { platformVersions } from "./platform-versions.ts";

type Details = Omit<ImageRecipe, "name" | "tags" | "base" | "programs"> & {
  /** Name of the part with the program, and where the official image has it. */
  readonly program: string;
  readonly path: string;
  readonly tag: string;
};

function image({ program, path, tag, ...rest }: Details): ImageRecipe {
  return { name: `image-${program}`, tags: [tag], base: false, programs: { [path]: program }, ...rest };
}

/** User and group that the official images of Flux and Prometheus run as. */
const nobody = "65534:65534";

/** Paths, entry points and users are the official images', so that the same manifests fit both. */
export const platformImages: readonly ImageRecipe[] = [
  image({
    repository: "ghcr.io/fluxcd/source-controller",
    program: "source-controller",
    path: "/usr/local/bin/source-controller",
    tag: platformVersions.flux,
    entrypoint: ["source-controller"],
    user: nobody,
    folders: ["/data"],
    certificates: true,
  }),
  image({
    repository: "ghcr.io/fluxcd/kustomize-controller",
    program: "kustomize-controller",
    path: "/usr/local/bin/kustomize-controller",
    tag: platformVersions.flux,
    entrypoint: ["kustomize-controller"],
    user: nobody,
    environment: { GNUPGHOME: "/tmp" },
    certificates: true,
  }),
  image({
    repository: "quay.io/metallb/controller",
    program: "metallb-controller",
    path: "/controller",
    tag: platformVersions.metallb,
    entrypoint: ["/controller"],
  }),
  image({
    repository: "quay.io/metallb/speaker",
    program: "metallb-speaker",
    path: "/speaker",
    tag: platformVersions.metallb,
    entrypoint: ["/speaker"],
  }),
  image({
    repository: "docker.io/library/traefik",
    program: "traefik",
    path: "/traefik",
    tag: platformVersions.traefik,
    entrypoint: ["/traefik"],
    certificates: true,
  }),
  image({
    repository: "castle.local/acme",
    program: "acme",
    path: "/acme",
    tag: platformVersions.acme,
    entrypoint: ["/acme"],
    user: nobody,
    certificates: true,
    own: true,
  }),
];

export const monitoringImages: readonly ImageRecipe[] = [
  image({
    repository: "quay.io/prometheus/prometheus",
    program: "prometheus",
    path: "/bin/prometheus",
    tag: platformVersions.prometheus,
    entrypoint: ["/bin/prometheus"],
    command: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
    workingDirectory: "/prometheus",
    user: nobody,
    folders: ["/prometheus"],
    certificates: true,
    compressed: true,
  }),
  image({
    repository: "quay.io/prometheus/alertmanager",
    program: "alertmanager",
    path: "/bin/alertmanager",
    tag: platformVersions.alertmanager,
    entrypoint: ["/bin/alertmanager"],
    command: ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"],
    workingDirectory: "/alertmanager",
    user: nobody,
    folders: ["/alertmanager"],
    certificates: true,
    compressed: true,
  }),
  image({
    repository: "quay.io/prometheus/node-exporter",
    program: "node_exporter",
    path: "/bin/node_exporter",
    tag: platformVersions.nodeExporter,
    entrypoint: ["/bin/node_exporter"],
    user: nobody,
  }),
  image({
    repository: "castle.local/exporter",
    program: "exporter",
    path: "/exporter",
    tag: platformVersions.exporter,
    entrypoint: ["/exporter"],
    user: nobody,
    own: true,
  }),
];
