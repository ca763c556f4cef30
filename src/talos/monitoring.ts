import { isMonitored, MONITORING_NAMESPACE } from "../spec/monitoring.ts";
import type { Castle, CastleNode, MachinePatch } from "../spec/castle.ts";

const ETCD_METRICS_PORT = 2381;

/**
 * Where control planes show their measurements. Talos binds the scheduler and the controller manager to the loopback,
 * and etcd's clients need a certificate that opens all of etcd; its listener for metrics shows numbers and nothing else.
 */
export function monitoringArgs(
  castle: Castle,
  node: CastleNode,
): { readonly etcd?: MachinePatch; readonly components?: MachinePatch } {
  if (!watched(castle, node)) return {};
  return {
    etcd: { "listen-metrics-urls": `http://${node.address}:${ETCD_METRICS_PORT}` },
    // Both go on asking for a token, and ask the API whose it is.
    components: { "bind-address": "0.0.0.0" },
  };
}

/** Lets castle's exporter, and nobody outside its namespace, read the members of etcd through Talos. */
export function monitoringAccess(castle: Castle, node: CastleNode): MachinePatch {
  if (!watched(castle, node)) return {};
  return {
    features: {
      kubernetesTalosAPIAccess: {
        enabled: true,
        allowedRoles: ["os:reader"],
        allowedKubernetesNamespaces: [MONITORING_NAMESPACE],
      },
    },
  };
}

function watched(castle: Castle, { role }: CastleNode): boolean {
  return role === "controlplane" && isMonitored(castle);
}
