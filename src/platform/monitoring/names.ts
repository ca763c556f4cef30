import { MONITORING_NAMESPACE } from "../../spec/monitoring.ts";
import { labels } from "../labels.ts";

export const COMPONENT = "monitoring";
export const namespace = MONITORING_NAMESPACE;

/** Of an object in the component's own namespace. */
export function metadataOf(name: string) {
  return { name, namespace, labels: labels(COMPONENT, name) };
}

/** What each listens on; who asks it takes the number from here. */
export const port = {
  prometheus: 9090,
  alertmanager: 9093,
  exporter: 8080,
  grafana: 3000,
  node: 9100,
} as const;
