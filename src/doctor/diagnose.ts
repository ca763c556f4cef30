import type { Chart, Diagnosis, Disease } from "./disease.ts";
import { addressConflict } from "./diseases/address-conflict.ts";
import { certificateExpiry } from "./diseases/certificate-expiry.ts";
import { certificateName } from "./diseases/certificate-name.ts";
import { certificateStuck } from "./diseases/certificate-stuck.ts";
import { clusterDns } from "./diseases/cluster-dns.ts";
import { entryPointPort } from "./diseases/entry-point-port.ts";
import { etcdAlarm } from "./diseases/etcd-alarm.ts";
import { etcdSlowDisk } from "./diseases/etcd-slow-disk.ts";
import { etcdStuck } from "./diseases/etcd-stuck.ts";
import { flux } from "./diseases/flux.ts";
import { ingressPort } from "./diseases/ingress-port.ts";
import { loadBalancerAddress } from "./diseases/load-balancer-address.ts";
import { loadBalancerSilent } from "./diseases/load-balancer-silent.ts";
import { podSecurity } from "./diseases/pod-security.ts";
import { poolClash } from "./diseases/pool-clash.ts";
import { privilegedPort } from "./diseases/privileged-port.ts";
import { secretsOutOfStep } from "./diseases/secrets-out-of-step.ts";
import { servicePods } from "./diseases/service-pods.ts";
import { serviceRules } from "./diseases/service-rules.ts";
import { serviceTargetPort } from "./diseases/service-target-port.ts";
import { siteName } from "./diseases/site-name.ts";
import { staleNeighbour } from "./diseases/stale-neighbour.ts";
import { staticTag } from "./diseases/static-tag.ts";
import { timeSkew } from "./diseases/time-skew.ts";
import { versionSkew } from "./diseases/version-skew.ts";

/** From the ground up: who reads from the top meets the cause first. */
export const diseases: readonly Disease[] = [
  timeSkew,
  addressConflict,
  staleNeighbour,
  etcdStuck,
  etcdAlarm,
  etcdSlowDisk,
  versionSkew,
  secretsOutOfStep,
  clusterDns,
  flux,
  podSecurity,
  poolClash,
  loadBalancerAddress,
  loadBalancerSilent,
  servicePods,
  serviceTargetPort,
  serviceRules,
  entryPointPort,
  privilegedPort,
  ingressPort,
  siteName,
  certificateStuck,
  certificateName,
  certificateExpiry,
  staticTag,
];

/** A disease of which nothing can be said, and why. */
export interface Unjudged {
  readonly disease: string;
  readonly reason: string;
}

/** Every disease that what was read shows, in the order of the diseases, then of the places. */
export function diagnose(chart: Chart): readonly Diagnosis[] {
  return diseases
    .filter((disease) => whyUnjudged(disease, chart) === undefined)
    .flatMap((disease) =>
      disease.diagnose(chart).map((diagnosis) => ({ disease: disease.id, ...diagnosis })),
    );
}

/** Who was not told is not called healthy. */
export function unjudged(chart: Chart): readonly Unjudged[] {
  return diseases.flatMap((disease) => {
    const reason = whyUnjudged(disease, chart);
    return reason === undefined ? [] : [{ disease: disease.id, reason }];
  });
}

function whyUnjudged({ reads = [], unknown }: Disease, chart: Chart): string | undefined {
  const kind = reads.find((one) => chart.unread?.has(one) === true);
  if (kind !== undefined) return chart.unread?.get(kind);
  return chart.examination === undefined ? undefined : unknown?.(chart.examination);
}
