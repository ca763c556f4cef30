import { stringify } from "yaml";
import { controlPlanes } from "../../spec/control-planes.ts";
import type { Castle } from "../../spec/castle.ts";
import { plain, secure } from "../entry-points.ts";
import { labels } from "../labels.ts";
import type { Manifest } from "../manifest.ts";
import { ingressAddress } from "../pool.ts";
import { COMPONENT, metadataOf, namespace, port } from "./names.ts";
import { TALOS_ACCESS } from "./talos-access.ts";
import { workload } from "./workload.ts";

const NAME = "exporter";
const CONFIG_FILE = "config.yaml";

/** castle's own: etcd's members by name, Flux' conditions, and the sites as a visitor meets them. */
export function exporter(castle: Castle, image: string): Manifest[] {
  const config = stringify(configuration(castle), { lineWidth: 0 });
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadataOf(NAME) },
    ...fluxAccess(),
    { apiVersion: "v1", kind: "ConfigMap", metadata: metadataOf(NAME), data: { [CONFIG_FILE]: config } },
    ...workload({
      name: NAME,
      image,
      port: port.exporter,
      ready: "/healthz",
      memory: { request: "16Mi", limit: "128Mi" },
      account: NAME,
      restartsOn: config,
      volumes: {
        "/etc/exporter": { configMap: { name: NAME } },
        // Where Talos gives none, sites and Flux are watched all the same.
        "/var/run/secrets/talos.dev": { secret: { optional: true, secretName: TALOS_ACCESS } },
      },
    }),
  ];
}

function configuration(castle: Castle): object {
  const tls = castle.ingress?.tls !== undefined;
  const door = tls ? secure : plain;
  const ingress = ingressAddress(castle) ?? "traefik.traefik.svc";
  return {
    controlPlanes: controlPlanes(castle).map(({ name, address }) => ({ name, address })),
    sites:
      castle.ingress === undefined
        ? []
        : (castle.sites ?? []).map(({ name, host }) => ({
            name,
            host,
            address: `${ingress}:${door.outside}`,
            tls,
          })),
  };
}

function fluxAccess(): Manifest[] {
  const name = `castle-${NAME}`;
  const metadata = { name, labels: labels(COMPONENT, NAME) };
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata,
      rules: [
        { apiGroups: ["source.toolkit.fluxcd.io"], resources: ["gitrepositories"], verbs: ["list"] },
        { apiGroups: ["kustomize.toolkit.fluxcd.io"], resources: ["kustomizations"], verbs: ["list"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name: NAME, namespace }],
    },
  ];
}
