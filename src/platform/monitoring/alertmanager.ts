import { stringify } from "yaml";
import type { Castle } from "../../spec/castle.ts";
import { labels } from "../labels.ts";
import type { Manifest } from "../manifest.ts";
import { COMPONENT, metadataOf, namespace, port } from "./names.ts";
import { workload } from "./workload.ts";

const NAME = "alertmanager";
const RECEIVER = "castle";
const WEBHOOK_FOLDER = "/etc/alertmanager-webhook";
const WEBHOOK_KEY = "url";

/** The Secret with the webhook's address: castle puts it into the cluster, Git never sees it. */
export const WEBHOOK_SECRET = "alertmanager-webhook";

export function alertmanager(castle: Castle, image: string): Manifest[] {
  const config = stringify(configuration(castle.monitoring?.webhook !== undefined), { lineWidth: 0 });
  return [
    { apiVersion: "v1", kind: "ConfigMap", metadata: metadataOf(NAME), data: { "alertmanager.yml": config } },
    ...workload({
      name: NAME,
      image,
      args: [
        "--config.file=/etc/alertmanager/alertmanager.yml",
        "--storage.path=/alertmanager",
        `--web.listen-address=:${port.alertmanager}`,
        // One alone has nobody to gossip with.
        "--cluster.listen-address=",
      ],
      port: port.alertmanager,
      ready: "/-/ready",
      memory: { request: "32Mi", limit: "256Mi" },
      restartsOn: config,
      volumes: {
        "/etc/alertmanager": { configMap: { name: NAME } },
        // The pod starts without it; the address is read for every message, and so as soon as it is there.
        [WEBHOOK_FOLDER]: { secret: { optional: true, secretName: WEBHOOK_SECRET } },
        "/alertmanager": { emptyDir: {} },
      },
    }),
  ];
}

/** What castle itself applies; never part of the GitOps repository. */
export function webhookSecret(url: string): Manifest {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: WEBHOOK_SECRET,
      namespace,
      labels: { ...labels(COMPONENT, NAME), "app.kubernetes.io/managed-by": "castle" },
    },
    data: { [WEBHOOK_KEY]: Buffer.from(url).toString("base64") },
    type: "Opaque",
  };
}

/** Without a webhook alerts are kept and shown, and nobody is told. */
function configuration(webhook: boolean): object {
  return {
    route: {
      receiver: RECEIVER,
      group_by: ["alertname"],
      group_wait: "5s",
      group_interval: "1m",
      repeat_interval: "4h",
    },
    receivers: [
      {
        name: RECEIVER,
        ...(webhook
          ? { webhook_configs: [{ send_resolved: true, url_file: `${WEBHOOK_FOLDER}/${WEBHOOK_KEY}` }] }
          : {}),
      },
    ],
  };
}
