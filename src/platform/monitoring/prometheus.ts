import { stringify } from "yaml";
import type { Castle } from "../../spec/castle.ts";
import { labels } from "../labels.ts";
import type { Manifest } from "../manifest.ts";
import { COMPONENT, metadataOf, namespace, port } from "./names.ts";
import { rules } from "./rules.ts";
import { scrapeConfig } from "./scrape-config.ts";
import { workload } from "./workload.ts";

const NAME = "prometheus";

export function prometheus(castle: Castle, image: string): Manifest[] {
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadataOf(NAME) },
    ...access(),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadataOf(NAME),
      data: {
        "prometheus.yml": text(scrapeConfig(castle)),
        "rules.yml": text(rules(castle)),
      },
    },
    ...workload({
      name: NAME,
      image,
      args: [
        "--config.file=/etc/prometheus/prometheus.yml",
        // A new rule must not cost the measurements, which a new pod would begin without.
        "--enable-feature=auto-reload-config",
        "--config.auto-reload-interval=10s",
        "--storage.tsdb.path=/prometheus",
        "--storage.tsdb.retention.time=7d",
        "--storage.tsdb.retention.size=1GB",
        `--web.listen-address=:${port.prometheus}`,
      ],
      port: port.prometheus,
      ready: "/-/ready",
      memory: { request: "160Mi", limit: "1Gi" },
      account: NAME,
      volumes: {
        "/etc/prometheus": { configMap: { name: NAME } },
        "/prometheus": { emptyDir: { sizeLimit: "2Gi" } },
      },
    }),
  ];
}

function text(content: object): string {
  return stringify(content, { aliasDuplicateObjects: false, lineWidth: 0 });
}

/** Reads measurements and finds pods; of Secrets, logs and the rest it sees nothing. */
function access(): Manifest[] {
  const name = `castle-${NAME}`;
  const metadata = { name, labels: labels(COMPONENT, NAME) };
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata,
      rules: [
        { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
        { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
        { nonResourceURLs: ["/metrics"], verbs: ["get"] },
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
