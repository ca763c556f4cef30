import { controlPlanes } from "../../spec/control-planes.ts";
import type { Castle } from "../../spec/castle.ts";

interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: "critical" | "warning" };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** rules.yml: what is recorded for dashboards and alerts, then what wakes somebody. */
export function rules(castle: Castle): object {
  return {
    groups: [
      { name: "castle", rules: recorded(castle) },
      { name: "castle-alerts", rules: alerts(castle) },
    ],
  };
}

const DAY = 24 * 3600;
const CERTIFICATE_DAYS = 14;

function recorded(castle: Castle): readonly RecordingRule[] {
  const planes = controlPlanes(castle).length;
  return [
    {
      // etcd's own list knows learners from voters, and needs a quorum to be read, without which it cannot change:
      // then the last word counts. The peers, who take a learner for a voter, are asked where there was never any.
      record: "castle:etcd_voters:count",
      expr: `count(castle_etcd_member{learner="false"}) or last_over_time(castle:etcd_voters:count[1h]) or max(count by (Local) (etcd_network_known_peers{job="etcd"})) or vector(${planes})`,
    },
    {
      record: "castle:etcd_healthy_voters:count",
      expr: 'count(etcd_server_has_leader{job="etcd"} == 1 unless on (instance) etcd_server_is_learner{job="etcd"} == 1) or vector(0)',
    },
    {
      record: "castle:etcd_fault_tolerance:count",
      expr: "castle:etcd_healthy_voters:count - (floor(castle:etcd_voters:count / 2) + 1)",
    },
    {
      record: "castle:vip_holder",
      expr: `node_network_address_info{job="node",address="${castle.network.vip}"}`,
    },
    { record: "castle:site_up:avg5m", expr: "avg_over_time(castle_site_up[5m])" },
    {
      record: "castle:ingress_requests:rate5m",
      expr: 'sum by (entrypoint, code) (rate(traefik_entrypoint_requests_total{job="traefik"}[5m]))',
    },
  ];
}

function alerts(castle: Castle): readonly AlertRule[] {
  const planes = controlPlanes(castle).length;
  return [
    critical("EtcdQuorumLost", "castle:etcd_fault_tolerance:count < 0", "30s", {
      summary: "etcd has no quorum: nothing in Kubernetes can be changed",
      description: "Bring control planes back: castle status says which do not answer.",
    }),
    // One control plane alone can never lose one; that is the spec's choice and no fault.
    ...(planes < 3
      ? []
      : [
          critical("EtcdQuorumAtRisk", "castle:etcd_fault_tolerance:count == 0", "1m", {
            summary: "The loss of one more member ends etcd's quorum",
            description:
              "{{ $value }} more members may be lost. castle status says which one does not answer.",
          }),
        ]),
    critical("EtcdGhostMember", 'castle_etcd_member{known="false"}', "30s", {
      summary: "etcd counts a member that is no control plane of the spec",
      description:
        "Member {{ $labels.id }} ({{ $labels.name }}, {{ $labels.address }}) takes part in the quorum and never answers. Remove it by its id where the quorum stays.",
    }),
    warning("EtcdMemberMissing", "castle_control_plane_member == 0", "5m", {
      summary: "{{ $labels.name }} is no member of etcd",
      description: "It runs without a vote, or waits to join. castle status, then its etcd's log.",
    }),
    critical(
      "VipWithoutHolder",
      'count(up{job="node",role="controlplane"} == 1) unless on () castle:vip_holder',
      "30s",
      {
        summary: `No control plane holds the VIP ${castle.network.vip}`,
        description:
          "The API answers on each control plane's own address only. After a crash Talos gives the VIP away within a minute.",
      },
    ),
    critical("VipHeldTwice", "count(castle:vip_holder) > 1", "1m", {
      summary: `{{ $value }} control planes hold the VIP ${castle.network.vip}`,
      description: "Connections to the API reach one or the other at random. castle status names them.",
    }),
    warning(
      "CertificateExpiring",
      `castle_site_certificate_not_after_seconds - time() < ${CERTIFICATE_DAYS * DAY}`,
      "1m",
      {
        summary: "{{ $labels.host }} shows a certificate that ends in {{ $value | humanizeDuration }}",
        description: `A renewal is due long before ${CERTIFICATE_DAYS} days are left: look at the ConfigMap certificates/acme-state.`,
      },
    ),
    warning("FluxStalled", "castle_flux_ready == 0", "3m", {
      summary: "{{ $labels.kind }} {{ $labels.name }} is not Ready: the cluster is not what Git says",
      description:
        "castle kubectl -- -n {{ $labels.namespace }} describe {{ $labels.kind }} {{ $labels.name }}",
    }),
    warning("FluxStopped", `${stopped("source-controller")} or ${stopped("kustomize-controller")}`, "3m", {
      summary: "{{ $labels.job }} does not run: the cluster is not what Git says",
      description: "castle kubectl -- -n flux-system get pods",
    }),
    critical("SiteDown", "castle_site_up == 0", "30s", {
      summary: "{{ $labels.host }} does not answer as it should",
      description: "castle kubectl -- -n site-{{ $labels.site }} get pods, then Traefik's log.",
    }),
    warning("TargetDown", "up == 0", "5m", {
      summary: "{{ $labels.job }} on {{ $labels.instance }} cannot be measured",
      description: "What is not measured raises no alert. castle status",
    }),
    warning("MonitoringBlind", 'castle_source_up == 0 or absent(castle_source_up{source="etcd"})', "5m", {
      summary: "castle's exporter sees nothing of {{ $labels.source }}",
      description: "castle kubectl -- -n monitoring logs deployment/exporter",
    }),
  ];
}

function stopped(job: string): string {
  return `absent(up{job="${job}"} == 1)`;
}

type Rest = AlertRule["annotations"];

function critical(alert: string, expr: string, wait: string, annotations: Rest): AlertRule {
  return { alert, expr, for: wait, labels: { severity: "critical" }, annotations };
}

function warning(alert: string, expr: string, wait: string, annotations: Rest): AlertRule {
  return { alert, expr, for: wait, labels: { severity: "warning" }, annotations };
}
