/** Versions of what stands on the cluster; go.mod in `parts/` pins the same. */
export const platformVersions = {
  flux: "v1.7.3",
  metallb: "v0.15.2",
  traefik: "v3.6.12",
  pebble: "v2.10.0",
  prometheus: "v3.9.1",
  alertmanager: "v0.31.0",
  nodeExporter: "v1.10.2",
  acme: "v1",
  /** Newer ones want Go 1.27. */
  hugo: "v0.165.0",
  exporter: "v1",
} as const;
