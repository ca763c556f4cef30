import { stringify } from "yaml";
import type { Manifest } from "../manifest.ts";
import { type Dashboard, dashboards, type Panel } from "./dashboards.ts";
import { metadataOf, port } from "./names.ts";
import { workload } from "./workload.ts";

const NAME = "grafana";
const DASHBOARDS = "grafana-dashboards";
const DASHBOARD_FOLDER = "/etc/grafana/dashboards";
const DATASOURCE = { type: "prometheus", uid: "prometheus" };
/** The user of the official image. */
const USER = 472;

/** Reads for everybody who reaches it, and nobody outside the cluster does; it keeps nothing of its own. */
export function grafana(image: string): Manifest[] {
  const datasources = {
    apiVersion: 1,
    datasources: [
      {
        name: "Prometheus",
        ...DATASOURCE,
        access: "proxy",
        isDefault: true,
        url: `http://prometheus:${port.prometheus}`,
      },
    ],
  };
  const providers = {
    apiVersion: 1,
    providers: [{ name: "castle", type: "file", options: { path: DASHBOARD_FOLDER } }],
  };
  const provisioning = {
    "dashboards.yaml": stringify(providers),
    "datasources.yaml": stringify(datasources),
  };
  return [
    { apiVersion: "v1", kind: "ConfigMap", metadata: metadataOf(NAME), data: provisioning },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadataOf(DASHBOARDS),
      data: Object.fromEntries(
        dashboards.map((board) => [`${board.name}.json`, `${JSON.stringify(shaped(board), undefined, 2)}\n`]),
      ),
    },
    ...workload({
      name: NAME,
      image,
      env: {
        GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
        GF_ANALYTICS_REPORTING_ENABLED: "false",
        GF_AUTH_ANONYMOUS_ENABLED: "true",
        GF_AUTH_BASIC_ENABLED: "false",
        GF_AUTH_DISABLE_LOGIN_FORM: "true",
        GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: "true",
        GF_SERVER_HTTP_PORT: String(port.grafana),
      },
      port: port.grafana,
      ready: "/api/health",
      memory: { request: "96Mi", limit: "512Mi" },
      user: USER,
      restartsOn: JSON.stringify(provisioning),
      volumes: {
        "/etc/grafana/provisioning/dashboards": {
          configMap: { name: NAME, items: [{ key: "dashboards.yaml", path: "castle.yaml" }] },
        },
        "/etc/grafana/provisioning/datasources": {
          configMap: { name: NAME, items: [{ key: "datasources.yaml", path: "castle.yaml" }] },
        },
        [DASHBOARD_FOLDER]: { configMap: { name: DASHBOARDS } },
        "/var/lib/grafana": { emptyDir: {} },
        "/tmp": { emptyDir: {} },
      },
    }),
  ];
}

const COLUMNS = 24;
const SIZE = { number: { w: 6, h: 5 }, lines: { w: 12, h: 8 } } as const;

/** A dashboard as Grafana reads it. */
function shaped({ name, title, panels }: Dashboard): object {
  let [x, y, height] = [0, 0, 0];
  const placed = panels.map((panel, index) => {
    const { w, h } = SIZE[panel.kind];
    if (x + w > COLUMNS || (height !== 0 && h !== height)) [x, y] = [0, y + height];
    const shown = { ...shapedPanel(panel), id: index + 1, gridPos: { x, y, w, h } };
    [x, height] = [x + w, h];
    return shown;
  });
  return {
    uid: `castle-${name}`,
    title,
    schemaVersion: 39,
    editable: false,
    refresh: "30s",
    tags: ["castle"],
    time: { from: "now-1h", to: "now" },
    panels: placed,
  };
}

function shapedPanel({ title, kind, unit, query, legend }: Panel): object {
  return {
    title,
    type: kind === "number" ? "stat" : "timeseries",
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit }, overrides: [] },
    options: kind === "number" ? { textMode: legend === "" ? "value" : "value_and_name" } : {},
    targets: [
      { datasource: DATASOURCE, expr: query, refId: "A", instant: kind === "number", legendFormat: legend },
    ],
  };
}
