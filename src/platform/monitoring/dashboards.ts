/** What Grafana shows, before it has Grafana's shape. */
export interface Dashboard {
  /** In its address, and the name of its file. */
  readonly name: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  readonly kind: "number" | "lines";
  /** Grafana's name of the unit. */
  readonly unit: string;
  /** One PromQL query a panel: each is asked of a real Prometheus by test/long/monitoring.test.ts. */
  readonly query: string;
  /** In Grafana's {{label}} form. */
  readonly legend: string;
}

function number(title: string, query: string, unit = "short", legend = ""): Panel {
  return { title, kind: "number", unit, query, legend };
}

function lines(title: string, query: string, unit: string, legend: string): Panel {
  return { title, kind: "lines", unit, query, legend };
}

const castle: Dashboard = {
  name: "castle",
  title: "Castle",
  panels: [
    number("Control planes that may still be lost", "castle:etcd_fault_tolerance:count"),
    number("Holder of the VIP", "castle:vip_holder", "short", "{{node}}"),
    number("Targets that answer", "sum(up)"),
    number("Flux objects that are Ready", "sum(castle_flux_ready)"),
    number("Alerts", 'sum(ALERTS{alertstate="firing"}) or vector(0)'),
    lines(
      "CPU of the nodes",
      '1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
      "percentunit",
      "{{node}}",
    ),
    lines("Memory of the nodes that is free", "node_memory_MemAvailable_bytes", "bytes", "{{node}}"),
    lines(
      "Memory by namespace",
      'sum by (namespace) (container_memory_working_set_bytes{container!=""})',
      "bytes",
      "{{namespace}}",
    ),
    lines(
      "CPU by namespace",
      'sum by (namespace) (rate(container_cpu_usage_seconds_total{container!=""}[5m]))',
      "short",
      "{{namespace}}",
    ),
    lines("Pods", "kubelet_running_pods", "short", "{{node}}"),
    lines(
      "Received by the nodes",
      "sum by (node) (rate(node_network_receive_bytes_total[5m]))",
      "Bps",
      "{{node}}",
    ),
    lines("Requests to the API", "sum by (code) (rate(apiserver_request_total[5m]))", "reqps", "{{code}}"),
  ],
};

const etcd: Dashboard = {
  name: "etcd",
  title: "etcd",
  panels: [
    number("Voters", "castle:etcd_voters:count"),
    number("Healthy voters", "castle:etcd_healthy_voters:count"),
    number("Members", "castle_etcd_member", "short", "{{name}} {{address}}, known: {{known}}"),
    number("Leader", "etcd_server_is_leader == 1", "short", "{{node}}"),
    lines("Changes of the leader", "etcd_server_leader_changes_seen_total", "short", "{{node}}"),
    lines("Size of the database", "etcd_mvcc_db_total_size_in_bytes", "bytes", "{{node}}"),
    lines(
      "Slowest hundredth of the writes to disk",
      "histogram_quantile(0.99, sum by (node, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])))",
      "s",
      "{{node}}",
    ),
    lines(
      "Slowest hundredth of the round trips",
      "histogram_quantile(0.99, sum by (node, le) (rate(etcd_network_peer_round_trip_time_seconds_bucket[5m])))",
      "s",
      "{{node}}",
    ),
    lines("Proposals applied", "rate(etcd_server_proposals_applied_total[5m])", "ops", "{{node}}"),
    lines("Proposals waiting", "etcd_server_proposals_pending", "short", "{{node}}"),
  ],
};

const ingress: Dashboard = {
  name: "ingress",
  title: "Ingress",
  panels: [
    number("Replicas of Traefik", 'count(up{job="traefik"} == 1)'),
    number("Requests a second", "sum(castle:ingress_requests:rate5m)", "reqps"),
    lines("Requests by door and code", "castle:ingress_requests:rate5m", "reqps", "{{entrypoint}} {{code}}"),
    lines("Open connections", "sum by (entrypoint) (traefik_open_connections)", "short", "{{entrypoint}}"),
    lines(
      "Mean time of an answer",
      "sum by (entrypoint) (rate(traefik_entrypoint_request_duration_seconds_sum[5m])) / sum by (entrypoint) (rate(traefik_entrypoint_request_duration_seconds_count[5m]))",
      "s",
      "{{entrypoint}}",
    ),
    lines(
      "Requests by service",
      "sum by (service) (rate(traefik_service_requests_total[5m]))",
      "reqps",
      "{{service}}",
    ),
    number("Addresses that MetalLB gave away", "sum(metallb_allocator_addresses_in_use_total)"),
  ],
};

const site: Dashboard = {
  name: "site",
  title: "Sites",
  panels: [
    number("Up", "castle_site_up", "short", "{{host}}"),
    number(
      "Days that the certificate has left",
      "(castle_site_certificate_not_after_seconds - time()) / 86400",
      "d",
      "{{host}}",
    ),
    number("Status", "castle_site_status", "none", "{{host}}"),
    lines("Share of the last five minutes that it was up", "castle:site_up:avg5m", "percentunit", "{{host}}"),
    lines("Time of an answer", "castle_site_seconds", "s", "{{host}}"),
    lines(
      "Memory",
      'sum by (namespace) (container_memory_working_set_bytes{container!="",namespace=~"site-.+"})',
      "bytes",
      "{{namespace}}",
    ),
    number("Certificates by state", "castle_acme_certificate_state == 1", "short", "{{host}} {{state}}"),
  ],
};

export const dashboards: readonly Dashboard[] = [castle, etcd, ingress, site];
