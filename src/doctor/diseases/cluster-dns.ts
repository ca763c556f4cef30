import { NAME_SERVER, nameServerOf, wrongAnswers } from "../cluster-dns.ts";
import type { Chart, Disease, Sought } from "../disease.ts";
import { endpointsOf } from "../manifests/endpoints.ts";
import type { ServiceObject } from "../manifests/services.ts";
import { kubectl } from "../remedy.ts";

/** No pod finds any other by its name. */
export const clusterDns: Disease = {
  id: "cluster-dns",
  title: "The cluster's name server has no pod that is ready, or one that does not answer what is so",
  reads: ["Service", "EndpointSlice", "Deployment"],
  diagnose: (chart) => {
    const service = chart.at === undefined ? undefined : nameServerOf(chart.manifests);
    if (service === undefined) return [];
    return endpointsOf(service, chart.manifests).some(({ ready }) => ready)
      ? wrong(chart, service)
      : [absent(chart, service)];
  },
};

function absent(chart: Chart, service: ServiceObject): Sought {
  const endpoints = endpointsOf(service, chart.manifests);
  return {
    severity: "critical",
    object: NAME_SERVER,
    message: "names do not resolve in any pod: no CoreDNS is ready",
    evidence: [
      asked(service),
      endpoints.length === 0
        ? "its EndpointSlices name no pod"
        : `not ready: ${endpoints.map(({ pod, node }) => `${pod} on ${node ?? "no node"}`).join(", ")}`,
    ],
    fix: "CoreDNS needs at least one pod that runs",
    command:
      endpoints.length === 0
        ? kubectl(chart, "-n kube-system scale deployment coredns --replicas=2")
        : kubectl(chart, "-n kube-system logs deployment/coredns"),
    symptoms: ["Deployment kube-system/coredns", "CoreDNS"],
  };
}

/** Ready by its own word, and found wrong by a question. */
function wrong(chart: Chart, service: ServiceObject): readonly Sought[] {
  const answers = wrongAnswers(chart.manifests, chart.examination?.nameServers ?? []);
  if (answers.length === 0) return [];
  return [
    {
      severity: "critical",
      object: NAME_SERVER,
      message: "names do not resolve in pods as they should",
      evidence: [asked(service), ...answers.map(({ server, message }) => `${server}: ${message}`)],
      fix: "CoreDNS' Corefile, or the pod that does not answer, is made right",
      command: kubectl(chart, "-n kube-system get configmap coredns -o yaml"),
      symptoms: ["Deployment kube-system/coredns", "CoreDNS"],
    },
  ];
}

function asked({ clusterIP }: ServiceObject): string {
  return `${NAME_SERVER}: cluster IP ${clusterIP}, asked by every pod`;
}
