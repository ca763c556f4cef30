import type { Check } from "./check.ts";
import { apidReady } from "./checks/apid-ready.ts";
import { backupAge } from "./checks/backup-age.ts";
import { bootFinished } from "./checks/boot-finished.ts";
import { certificates } from "./checks/certificates.ts";
import { clock } from "./checks/clock.ts";
import { diagnostics } from "./checks/diagnostics.ts";
import { disk } from "./checks/disk.ts";
import { dns } from "./checks/dns.ts";
import { etcdHealthy } from "./checks/etcd-healthy.ts";
import { etcdMembers } from "./checks/etcd-members.ts";
import { etcdSpace } from "./checks/etcd-space.ts";
import { flux } from "./checks/flux.ts";
import { kubeletHealthy } from "./checks/kubelet-healthy.ts";
import { loadBalancers } from "./checks/load-balancers.ts";
import { memory } from "./checks/memory.ts";
import { nodesReady } from "./checks/nodes-ready.ts";
import { releases } from "./checks/releases.ts";
import { staticPods } from "./checks/static-pods.ts";
import { systemWorkloads } from "./checks/system-workloads.ts";
import { unknownNodes } from "./checks/unknown-nodes.ts";
import { versions } from "./checks/versions.ts";
import { vipHolder } from "./checks/vip-holder.ts";
import { workloads } from "./checks/workloads.ts";
import { type Examination, toldControlPlanes, toldNodes } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** In the order in which a castle is built: who reads from the top meets the cause first. */
const checks: readonly Check[] = [
  apidReady,
  bootFinished,
  memory,
  disk,
  clock,
  diagnostics,
  etcdHealthy,
  etcdMembers,
  etcdSpace,
  vipHolder,
  kubeletHealthy,
  staticPods,
  nodesReady,
  unknownNodes,
  systemWorkloads,
  workloads,
  flux,
  releases,
  dns,
  loadBalancers,
  versions,
  certificates,
  backupAge,
];

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly verdict: "healthy" | "findings" | "unknown";
  readonly findings: readonly Finding[];
  /** Why nothing could be said. */
  readonly unknown?: string;
}

export interface Health {
  /** Nothing was found and nothing is unknown. */
  readonly healthy: boolean;
  readonly checks: readonly CheckResult[];
}

/** Judges a castle by all checks. */
export function judgeHealth(examination: Examination): Health {
  const results = checks.map(({ id, title, asks, judge }): CheckResult => {
    const verdict = nobodyTold(asks, examination) ?? judge(examination);
    if ("unknown" in verdict) {
      return { id, title, verdict: "unknown", findings: [], unknown: verdict.unknown };
    }
    return { id, title, verdict: verdict.length === 0 ? "healthy" : "findings", findings: verdict };
  });
  return { healthy: results.every(({ verdict }) => verdict === "healthy"), checks: results };
}

function nobodyTold(asks: Check["asks"], examination: Examination): { unknown: string } | undefined {
  if (asks === undefined) return undefined;
  const told = asks === "nodes" ? toldNodes(examination) : toldControlPlanes(examination);
  return told.length === 0 ? { unknown: `none of the ${asks} answered` } : undefined;
}
