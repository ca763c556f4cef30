import type { Castle } from "../spec/castle.ts";
import { ownImage } from "../spec/defaults.ts";

/** What the spec does not tell and the platform has to know: where this castle's repository, images and CA are. */
export interface Surroundings {
  readonly repository: {
    /** As the nodes reach it; http, https or ssh. */
    readonly url: string;
    /** The Secret in flux-system with the credentials, in the keys that Flux' GitRepository reads. */
    readonly secret?: string;
  };
  /** Stands instead of the official image of the same name. */
  readonly images?: Partial<PlatformImages>;
  /** Site's name → image with tag or digest; a site that is not in it shows the placeholder. */
  readonly siteImages?: Readonly<Record<string, string>>;
  /** Stands instead of the directory that the spec names. */
  readonly acme?: {
    /** Address of the ACME directory. */
    readonly directory: string;
    /** PEM: who signed the directory's own certificate, where no public authority did. */
    readonly caBundle?: string;
  };
}

/** With tag or digest. */
export interface PlatformImages {
  readonly sourceController: string;
  readonly kustomizeController: string;
  readonly metallbController: string;
  readonly metallbSpeaker: string;
  readonly traefik: string;
  /** castle's own: orders and renews certificates. */
  readonly acmeController: string;
  readonly prometheus: string;
  readonly alertmanager: string;
  readonly nodeExporter: string;
  readonly grafana: string;
  /** castle's own: measures what has no ready metric. */
  readonly exporter: string;
  /** castle's own: the page that a site shows before its first release. */
  readonly placeholder: string;
}

/** Versions whose CRDs and RBAC the parts carry. */
const OFFICIAL: Omit<PlatformImages, "acmeController" | "exporter" | "placeholder"> = {
  sourceController: "ghcr.io/fluxcd/source-controller:v1.7.3",
  kustomizeController: "ghcr.io/fluxcd/kustomize-controller:v1.7.3",
  metallbController: "quay.io/metallb/controller:v0.15.2",
  metallbSpeaker: "quay.io/metallb/speaker:v0.15.2",
  traefik: "docker.io/library/traefik:v3.6.12",
  prometheus: "quay.io/prometheus/prometheus:v3.9.1",
  alertmanager: "quay.io/prometheus/alertmanager:v0.31.0",
  nodeExporter: "quay.io/prometheus/node-exporter:v1.10.2",
  grafana: "docker.io/grafana/grafana:12.2.0",
};

/** castle's own come from the registry that the spec names, or from the lab's. */
export function platformImages(
  { registry }: Pick<Castle, "registry">,
  { images }: Pick<Surroundings, "images"> = {},
): PlatformImages {
  const own = (name: string) => ownImage(registry, name, "v1");
  return {
    ...OFFICIAL,
    acmeController: own("acme"),
    exporter: own("exporter"),
    placeholder: own("placeholder"),
    ...images,
  };
}
