import type { Castle } from "../../spec/castle.ts";
import { namespace, port } from "./names.ts";
import { controlPlaneTargets, nodeTargets, type TargetGroup } from "./targets.ts";

/** Seconds between two looks at anything, and between two evaluations of the rules. */
export const INTERVAL = 15;

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const token = { authorization: { credentials_file: `${ACCOUNT}/token` } };

/** Numbers of a kind that nobody looks at are dropped at the door: an API server alone has 23 000. */
const KEPT = {
  apiServer: [
    "apiserver_(current_inflight_requests|request_total|storage_(objects|size_bytes))",
    "(apiserver|etcd)_request_duration_seconds_(count|sum)",
    "process_(cpu_seconds_total|resident_memory_bytes|start_time_seconds)",
  ],
  etcd: ["etcd_(disk|mvcc_db|network|server)_.*", "process_(cpu_seconds_total|resident_memory_bytes)"],
  component: [
    "leader_election_master_status|workqueue_depth",
    "scheduler_(pending_pods|schedule_attempts_total)",
    "process_(cpu_seconds_total|resident_memory_bytes)",
  ],
  kubelet: [
    "kubelet_(running_containers|running_pods|volume_stats_.*)",
    "process_(cpu_seconds_total|resident_memory_bytes)",
  ],
  containers: [
    "container_(cpu_usage_seconds_total|fs_usage_bytes|memory_working_set_bytes|oom_events_total)",
    "container_network_(receive|transmit)_bytes_total|machine_(cpu_cores|memory_bytes)",
  ],
} as const;

/** prometheus.yml: what is measured and where alerts go. */
export function scrapeConfig(castle: Castle): object {
  return {
    global: {
      scrape_interval: `${INTERVAL}s`,
      evaluation_interval: `${INTERVAL}s`,
      external_labels: { castle: castle.name },
    },
    alerting: {
      alertmanagers: [alertmanagerPod],
    },
    rule_files: ["/etc/prometheus/rules.yml"],
    scrape_configs: [
      secured(
        "apiserver",
        controlPlaneTargets(castle, 6443),
        { ca_file: `${ACCOUNT}/ca.crt` },
        KEPT.apiServer,
      ),
      job("etcd", controlPlaneTargets(castle, 2381), KEPT.etcd),
      secured("controller-manager", controlPlaneTargets(castle, 10257), unnamed, KEPT.component),
      secured("scheduler", controlPlaneTargets(castle, 10259), unnamed, KEPT.component),
      secured("kubelet", nodeTargets(castle, 10250), unnamed, KEPT.kubelet),
      {
        ...secured("containers", nodeTargets(castle, 10250), unnamed, KEPT.containers),
        metrics_path: "/metrics/cadvisor",
      },
      job("node", nodeTargets(castle, port.node)),
      annotatedPods,
    ],
  };
}

/** Each signs its certificate for itself: nobody vouches for it, and the token that it is shown opens metrics only. */
const unnamed = { insecure_skip_verify: true };

function job(name: string, targets: readonly TargetGroup[], kept: readonly string[] = []) {
  return {
    job_name: name,
    static_configs: targets,
    ...(kept.length === 0
      ? {}
      : {
          metric_relabel_configs: [{ action: "keep", regex: kept.join("|"), source_labels: ["__name__"] }],
        }),
  };
}

function secured(name: string, targets: readonly TargetGroup[], tls: object, kept: readonly string[]) {
  return { ...job(name, targets, kept), scheme: "https", tls_config: tls, ...token };
}

/** By its address, not its name: the castle's name servers may be what is missing. */
const alertmanagerPod = {
  kubernetes_sd_configs: [{ role: "pod", namespaces: { names: [namespace] } }],
  relabel_configs: [
    {
      action: "keep",
      regex: `alertmanager;${port.alertmanager}`,
      source_labels: [
        "__meta_kubernetes_pod_label_app_kubernetes_io_name",
        "__meta_kubernetes_pod_container_port_number",
      ],
    },
  ],
};

/** Every pod that says where: Traefik, Flux, MetalLB, the ACME controller, and the monitoring's own. */
const annotatedPods = {
  job_name: "pods",
  kubernetes_sd_configs: [{ role: "pod" }],
  relabel_configs: [
    {
      action: "keep",
      regex: "true",
      source_labels: ["__meta_kubernetes_pod_annotation_prometheus_io_scrape"],
    },
    { action: "drop", regex: "Failed|Succeeded", source_labels: ["__meta_kubernetes_pod_phase"] },
    {
      // A pod has one target a port; this leaves the annotated one.
      action: "keepequal",
      source_labels: ["__meta_kubernetes_pod_container_port_number"],
      target_label: "__meta_kubernetes_pod_annotation_prometheus_io_port",
    },
    { source_labels: ["__meta_kubernetes_pod_label_app_kubernetes_io_name"], target_label: "job" },
    { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
    { source_labels: ["__meta_kubernetes_pod_name"], target_label: "pod" },
    { source_labels: ["__meta_kubernetes_pod_node_name"], target_label: "node" },
  ],
  metric_relabel_configs: [
    {
      action: "drop",
      regex: "(controller_runtime|rest_client|workqueue|certwatcher|go)_.*",
      source_labels: ["__name__"],
    },
  ],
};
