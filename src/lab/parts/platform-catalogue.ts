import { goProgram } from "./go-program.ts";
import { imagePart } from "./image-part.ts";
import { manifestParts } from "./manifest-parts.ts";
import type { Part } from "./part.ts";
import { monitoringImages, platformImages } from "./platform-images.ts";
import { platformVersions as versions } from "./platform-versions.ts";

const traefik = "github.com/traefik/traefik/v3";
const prometheusVersion = (version: string) =>
  `-X github.com/prometheus/common/version.Version=${version.slice(1)}`;

const platform: readonly Part[] = [
  goProgram({
    name: "pebble",
    version: versions.pebble,
    purpose: "The ACME server of the lab's LAN",
    set: "platform",
    seconds: 15,
    wanted: true,
    source: {
      group: "pebble",
      package: "github.com/letsencrypt/pebble/v2/cmd/pebble",
      ldflags: `-X main.version=${versions.pebble}`,
    },
  }),
  goProgram({
    name: "metallb-controller",
    version: versions.metallb,
    purpose: "Gives services of type LoadBalancer their addresses",
    set: "platform",
    seconds: 60,
    source: { group: "metallb", package: "go.universe.tf/metallb/controller" },
  }),
  goProgram({
    name: "metallb-speaker",
    version: versions.metallb,
    purpose: "Answers for these addresses on the LAN",
    set: "platform",
    seconds: 20,
    source: { group: "metallb", package: "go.universe.tf/metallb/speaker" },
  }),
  goProgram({
    name: "source-controller",
    version: versions.flux,
    purpose: "Flux: fetches the GitOps repository",
    set: "platform",
    seconds: 190,
    source: { group: "flux", package: "github.com/fluxcd/source-controller" },
  }),
  goProgram({
    name: "kustomize-controller",
    version: versions.flux,
    purpose: "Flux: applies what the GitOps repository says",
    set: "platform",
    seconds: 35,
    source: { group: "flux", package: "github.com/fluxcd/kustomize-controller" },
  }),
  goProgram({
    name: "traefik",
    version: versions.traefik,
    purpose: "The ingress",
    set: "platform",
    seconds: 300,
    source: {
      group: "traefik",
      package: `${traefik}/cmd/traefik`,
      ldflags: `-X ${traefik}/pkg/version.Version=${versions.traefik.slice(1)}`,
    },
  }),
  goProgram({
    name: "acme",
    version: versions.acme,
    purpose: "Orders and renews the sites' certificates",
    set: "platform",
    seconds: 10,
    source: { group: "acme", package: ".", ldflags: `-X main.version=${versions.acme}` },
  }),
  goProgram({
    name: "hugo",
    version: versions.hugo,
    purpose: "Builds the sites' pages",
    set: "platform",
    seconds: 150,
    wanted: true,
    source: { group: "hugo", package: "github.com/gohugoio/hugo" },
  }),
  {
    name: "ca-certificates",
    version: "bookworm",
    purpose: "The certificates that programs in images trust",
    set: "platform",
    needs: [],
    seconds: 1,
    wanted: false,
    source: { kind: "ca-certificates" },
  },
  {
    name: "nginx-base",
    version: "bookworm",
    purpose: "The image that sites' images stand on",
    set: "platform",
    needs: [],
    seconds: 3,
    wanted: true,
    source: { kind: "nginx-base" },
  },
  ...manifestParts,
  ...platformImages.map((recipe) => imagePart(recipe, "platform")),
];

const monitoring: readonly Part[] = [
  goProgram({
    name: "prometheus",
    version: versions.prometheus,
    purpose: "Collects the measurements and evaluates the alerts",
    set: "monitoring",
    seconds: 300,
    source: {
      group: "monitoring",
      package: "github.com/prometheus/prometheus/cmd/prometheus",
      ldflags: prometheusVersion(versions.prometheus),
    },
  }),
  goProgram({
    name: "alertmanager",
    version: versions.alertmanager,
    purpose: "Brings alerts to a webhook",
    set: "monitoring",
    seconds: 60,
    source: {
      group: "monitoring",
      package: "github.com/prometheus/alertmanager/cmd/alertmanager",
      ldflags: prometheusVersion(versions.alertmanager),
    },
  }),
  goProgram({
    name: "node_exporter",
    version: versions.nodeExporter,
    purpose: "Measures the nodes",
    set: "monitoring",
    seconds: 10,
    source: {
      group: "pebble",
      package: "github.com/prometheus/node_exporter",
      ldflags: prometheusVersion(versions.nodeExporter),
    },
  }),
  goProgram({
    name: "exporter",
    version: versions.exporter,
    purpose: "Measures what has no ready metric: members of etcd, Flux, sites",
    set: "monitoring",
    seconds: 15,
    source: { group: "exporter", package: ".", ldflags: `-X main.version=${versions.exporter}` },
  }),
  goProgram({
    name: "promtool",
    version: versions.prometheus,
    purpose: "Tests the alerts' rules",
    set: "monitoring",
    seconds: 25,
    source: {
      group: "monitoring",
      package: "github.com/prometheus/prometheus/cmd/promtool",
      ldflags: prometheusVersion(versions.prometheus),
    },
  }),
  ...monitoringImages.map((recipe) => imagePart(recipe, "monitoring")),
];

/** What a castle with a GitOps repository needs besides its machines' parts, each after its needs. */
export const platformCatalogue: readonly Part[] = [...platform, ...monitoring];
