import type { Part } from "./part.ts";
import { platformVersions as versions } from "./platform-versions.ts";

interface Manifests {
  readonly name: string;
  readonly version: string;
  readonly purpose: string;
  readonly group: string;
  readonly module: string;
  /** Folder in the module that the files are below. */
  readonly root: string;
  /** Path in the part → path below the root. */
  readonly files: Readonly<Record<string, string>>;
}

type FileSources = Readonly<Record<string, { readonly module: string; readonly path: string }>>;

function fileSources({ module, root, files }: Pick<Manifests, "module" | "root" | "files">): FileSources {
  return Object.fromEntries(
    Object.entries(files).map(([target, path]) => [target, { module, path: `${root}/${path}` }]),
  );
}

function manifests({ name, version, purpose, group, ...rest }: Manifests): Part {
  return part({ name, version, purpose }, group, fileSources(rest));
}

function part(about: Pick<Part, "name" | "version" | "purpose">, group: string, files: FileSources): Part {
  return {
    ...about,
    set: "platform",
    needs: [],
    seconds: 1,
    wanted: true,
    source: { kind: "module-files", group, files },
  };
}

function fluxFiles(controller: string, definitions: readonly string[]): FileSources {
  const rbac = ["role", "role_binding", "leader_election_role", "leader_election_role_binding"];
  const files = {
    ...Object.fromEntries(definitions.map((name) => [`crds/${name}.yaml`, `crd/bases/${name}.yaml`])),
    ...Object.fromEntries(rbac.map((name) => [`${controller}/${name}.yaml`, `rbac/${name}.yaml`])),
    [`${controller}/deployment.yaml`]: "manager/deployment.yaml",
  };
  return fileSources({ module: `github.com/fluxcd/${controller}`, root: "config", files });
}

const fluxSources = [
  "buckets",
  "externalartifacts",
  "gitrepositories",
  "helmcharts",
  "helmrepositories",
  "ocirepositories",
].map((kind) => `source.toolkit.fluxcd.io_${kind}`);

const traefikKinds = [
  "ingressroutes",
  "ingressroutetcps",
  "ingressrouteudps",
  "middlewares",
  "middlewaretcps",
  "serverstransports",
  "serverstransporttcps",
  "tlsoptions",
  "tlsstores",
  "traefikservices",
];

/** Definitions and roles that the components' authors publish in their modules (Apache-2.0, Traefik's MIT). */
export const manifestParts: readonly Part[] = [
  part(
    { name: "flux-manifests", version: versions.flux, purpose: "Flux' definitions and roles, for rendering" },
    "flux",
    {
      ...fluxFiles("source-controller", fluxSources),
      ...fileSources({
        module: "github.com/fluxcd/source-controller",
        root: "config",
        files: { "source-controller/service.yaml": "manager/service.yaml" },
      }),
      ...fluxFiles("kustomize-controller", ["kustomize.toolkit.fluxcd.io_kustomizations"]),
      ...fileSources({
        module: "github.com/fluxcd/kustomize-controller",
        root: "config",
        files: { "kustomize-controller/cluster_role_binding.yaml": "rbac/cluster_role_binding.yaml" },
      }),
    },
  ),
  manifests({
    name: "metallb-manifests",
    version: versions.metallb,
    purpose: "MetalLB's manifests, for rendering",
    group: "metallb",
    module: "go.universe.tf/metallb",
    root: "config/manifests",
    files: { "metallb-native.yaml": "metallb-native.yaml" },
  }),
  manifests({
    name: "traefik-crds",
    version: versions.traefik,
    purpose: "Traefik's definitions and roles, for rendering",
    group: "traefik",
    module: "github.com/traefik/traefik/v3",
    root: "docs/content/reference/dynamic-configuration",
    files: {
      ...Object.fromEntries(
        traefikKinds.map((kind) => [`crds/traefik.io_${kind}.yaml`, `traefik.io_${kind}.yaml`]),
      ),
      "rbac.yaml": "kubernetes-crd-rbac.yml",
    },
  }),
];
