import type { Castle } from "../../spec/castle.ts";
import type { Component, ComponentName } from "../component.ts";
import { labels } from "../labels.ts";
import type { Manifest } from "../manifest.ts";
import { podSecurity } from "../pod.ts";
import type { PlatformImages } from "../surroundings.ts";
import { alertmanager } from "./alertmanager.ts";
import { exporter } from "./exporter.ts";
import { grafana } from "./grafana.ts";
import { COMPONENT, namespace } from "./names.ts";
import { nodeExporter } from "./node-exporter.ts";
import { prometheus } from "./prometheus.ts";
import { talosAccess } from "./talos-access.ts";

/**
 * What watches the castle. It comes after all it watches, so that its images are pulled when the sites stand.
 * @param before every other component of this castle
 */
export function monitoring(
  castle: Castle,
  images: PlatformImages,
  before: readonly ComponentName[],
): Component {
  return {
    name: COMPONENT,
    dependsOn: before,
    files: {
      "namespace.yaml": [monitoringNamespace()],
      "prometheus.yaml": prometheus(castle, images.prometheus),
      "alertmanager.yaml": alertmanager(castle, images.alertmanager),
      "talos-access.yaml": talosAccess(),
      "exporter.yaml": exporter(castle, images.exporter),
      "node-exporter.yaml": nodeExporter(images.nodeExporter),
      ...(hasGrafana(castle) ? { "grafana.yaml": grafana(images.grafana) } : {}),
    },
  };
}

export function monitoringNamespace(): Manifest {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: namespace,
      labels: { ...labels(COMPONENT, COMPONENT), ...podSecurity("restricted") },
    },
  };
}

/** The lab's registry has no image of Grafana; spec/warnings.ts tells. */
function hasGrafana({ hypervisor, monitoring }: Castle): boolean {
  return monitoring?.grafana === true && hypervisor.kind !== "lab";
}
