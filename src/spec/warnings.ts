import { controlPlanes } from "./control-planes.ts";
import type { Castle } from "./castle.ts";

/** What is allowed and yet worth knowing before the castle stands. */
export interface SpecWarning {
  /** Stable, kebab-case. */
  readonly id: string;
  readonly message: string;
  readonly hint?: string;
}

/** The warnings of a valid castle, in a fixed order. */
export function warnings(castle: Castle): readonly SpecWarning[] {
  return [
    quorumOnOneHost,
    noRedundancy,
    noWorkers,
    extensionsInLab,
    nothingInstalls,
    ingressWithoutPool,
    monitoringAlone,
    grafanaInLab,
    encryptionInLab,
  ]
    .map((look) => look(castle))
    .filter((warning) => warning !== undefined);
}

function quorumOnOneHost(castle: Castle): SpecWarning | undefined {
  const planes = controlPlanes(castle);
  const majority = Math.floor(planes.length / 2) + 1;
  if (planes.length < 2) return undefined;
  for (const host of new Set(planes.map((node) => node.host))) {
    const names = planes.filter((node) => node.host === host).map(({ name }) => name);
    if (names.length < majority) continue;
    return {
      id: "quorum-on-one-host",
      message: `${names.length} of ${planes.length} control planes (${names.join(", ")}) are on ${host}: without this host etcd has no quorum`,
      hint:
        castle.hypervisor.kind === "proxmox"
          ? "name three hosts in hypervisor.proxmox.nodes"
          : "name three hosts in hypervisor.lab.hosts",
    };
  }
  return undefined;
}

function noRedundancy(castle: Castle): SpecWarning | undefined {
  if (controlPlanes(castle).length !== 1) return undefined;
  return {
    id: "single-control-plane",
    message: "one control plane: the castle falls with it",
    hint: "three survive the loss of one",
  };
}

function noWorkers({ nodes }: Castle): SpecWarning | undefined {
  if (nodes.some(({ role }) => role === "worker")) return undefined;
  return {
    id: "no-workers",
    message: "no workers: pods stay Pending unless a patch sets cluster.allowSchedulingOnControlPlanes",
    hint: "set nodes.workers",
  };
}

function extensionsInLab({ hypervisor, talos }: Castle): SpecWarning | undefined {
  if (hypervisor.kind !== "lab" || talos.extensions.length === 0) return undefined;
  return {
    id: "extensions-in-lab",
    message: `the lab's machines have no image of their own and run without ${talos.extensions.join(", ")}`,
  };
}

function nothingInstalls({ gitops, ingress, monitoring, sites }: Castle): SpecWarning | undefined {
  if (gitops !== undefined) return undefined;
  const sections = [
    ...(ingress === undefined ? [] : ["ingress"]),
    ...(monitoring === undefined ? [] : ["monitoring"]),
    ...(sites === undefined || sites.length === 0 ? [] : ["sites"]),
  ];
  if (sections.length === 0) return undefined;
  return {
    id: "no-gitops",
    message: `${sections.join(", ")}: installed by Flux, and without gitops there is no Flux`,
    hint: "add gitops with a repository",
  };
}

function ingressWithoutPool({ ingress, loadBalancer }: Castle): SpecWarning | undefined {
  if (ingress === undefined || loadBalancer !== undefined) return undefined;
  return {
    id: "ingress-without-pool",
    message: "ingress gets no address without loadBalancer.pool",
    hint: "add loadBalancer with a pool of free addresses",
  };
}

function monitoringAlone({ monitoring }: Castle): SpecWarning | undefined {
  if (monitoring === undefined || monitoring.prometheus) return undefined;
  const { grafana, webhook } = monitoring;
  const idle = [...(grafana ? ["grafana"] : []), ...(webhook === undefined ? [] : ["webhook"])];
  if (idle.length === 0) return undefined;
  return {
    id: "monitoring-without-prometheus",
    message: `monitoring.${idle.join(" and monitoring.")}: nothing to show or to tell without Prometheus`,
    hint: "set monitoring.prometheus: true",
  };
}

function grafanaInLab({ hypervisor, monitoring }: Castle): SpecWarning | undefined {
  if (hypervisor.kind !== "lab" || monitoring?.grafana !== true) return undefined;
  return {
    id: "grafana-in-lab",
    message: "Grafana is left out: the lab has no image of it, and Prometheus runs without",
  };
}

function encryptionInLab({ hypervisor, disks }: Castle): SpecWarning | undefined {
  if (hypervisor.kind !== "lab" || disks?.encryption === undefined) return undefined;
  return {
    id: "encryption-in-lab",
    message:
      "disks.encryption is left out: the lab's disks are folders, which Talos cannot encrypt; they are written in clear",
    hint: "try it on a rack",
  };
}
