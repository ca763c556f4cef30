import { z } from "zod";
import type { Chart, Disease, Sought } from "../disease.ts";
import { addressPools, isAdvertised } from "../manifests/address-pools.ts";
import { endpointsOf } from "../manifests/endpoints.ts";
import { type ServiceObject, services } from "../manifests/services.ts";
import { arpUnknown, holdersOf } from "../neighbourhood.ts";
import { parseAddress } from "../../spec/address.ts";
import { kubectl } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";
const Pod = z.object({
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
});

/** The Service has its address, and on the network nobody has it. */
export const loadBalancerSilent: Disease = {
  id: "load-balancer-silent",
  title: "Nobody answers ARP for a load balancer's address",
  reads: ["Service", "EndpointSlice", "Node", "Pod", "IPAddressPool", "L2Advertisement"],
  unknown: arpUnknown,
  diagnose: (chart) =>
    services(chart.manifests).flatMap((service) =>
      service.addresses
        .filter((address) => holdersOf(chart, address)?.length === 0)
        .map((address) => silence(chart, service, address)),
    ),
};

function silence(chart: Chart, service: ServiceObject, address: string): Sought {
  const { manifest, ports } = service;
  const name = objectName(manifest);
  return {
    severity: "critical",
    symptoms: [name, ...ports.map(({ port }) => `${address}:${port}`), address],
    ...causeOf(chart, service, address),
  };
}

type Cause = Pick<Sought, "object" | "message" | "fix" | "command"> & { evidence: readonly string[] };

/** The first reason on the way from the pool to the node that would have to answer. */
function causeOf(chart: Chart, service: ServiceObject, address: string): Cause {
  const { manifest, externalTrafficPolicy } = service;
  const name = objectName(manifest);
  const seen = [
    `${name}: ${address}, externalTrafficPolicy ${externalTrafficPolicy}`,
    `ARP: who has ${address}? nobody`,
  ];
  const pool = addressPools(chart.manifests).find(({ ranges }) => {
    const number = parseAddress(address) ?? -1;
    return ranges.some(({ first, last }) => first <= number && number <= last);
  });
  if (pool !== undefined && !isAdvertised(pool, chart.manifests)) {
    return {
      object: name,
      message: `nobody answers for ${address}: no L2Advertisement names ${pool.object}`,
      evidence: [
        ...seen,
        `${pool.object}: ${pool.text}`,
        `no L2Advertisement in ${pool.manifest.namespace} names ${pool.manifest.name}`,
      ],
      fix: `an L2Advertisement with ipAddressPools: [${pool.manifest.name}]`,
      command: kubectl(chart, `-n ${pool.manifest.namespace} get l2advertisements -o yaml`),
    };
  }
  const ready = endpointsOf(service, chart.manifests).filter((endpoint) => endpoint.ready);
  if (ready.length === 0) {
    return {
      object: name,
      message: `nobody answers for ${address}: none of its pods is ready, and MetalLB announces for those that are`,
      evidence: [...seen, "its EndpointSlices name no pod that is ready"],
      fix: "let its pods become ready",
      command: kubectl(chart, `-n ${manifest.namespace} get pods -o wide`),
    };
  }
  const carriers = new Set(
    externalTrafficPolicy === "Local"
      ? ready.flatMap(({ node }) => node ?? [])
      : chart.manifests.flatMap((one) => (one.kind === "Node" ? [one.name] : [])),
  );
  const nodes = chart.manifests.filter((one) => one.kind === "Node" && carriers.has(one.name));
  const excluded = nodes.filter(({ labels }) => labels[EXCLUDED] !== undefined);
  if (nodes.length > 0 && excluded.length === nodes.length) {
    const names = excluded.map((node) => node.name);
    return {
      object: `Node ${names.join(", ")}`,
      message: `nobody answers for ${address} of ${name}: every node that could is excluded from external load balancers`,
      evidence: [...seen, ...names.map((node) => `Node ${node}: label ${EXCLUDED}`)],
      fix: "take the label away from a node that may answer",
      command: kubectl(chart, `label node ${names[0] ?? ""} ${EXCLUDED}-`),
    };
  }
  const speakers = speakersOn(chart, carriers);
  return {
    object: name,
    message:
      speakers.length === 0
        ? `nobody answers for ${address}: no MetalLB speaker is ready on ${[...carriers].join(", ")}`
        : `nobody answers for ${address}, although MetalLB's speakers run`,
    evidence: [...seen, speakers.length === 0 ? "no speaker is ready" : `speakers: ${speakers.join(", ")}`],
    fix: "MetalLB's speaker says what keeps it",
    command: kubectl(chart, "-n metallb-system logs -l app.kubernetes.io/name=speaker --tail=50"),
  };
}

function speakersOn({ manifests }: Chart, nodes: ReadonlySet<string>): readonly string[] {
  return manifests.flatMap(({ kind, namespace, name, body }) => {
    if (kind !== "Pod" || namespace !== "metallb-system" || !name.includes("speaker")) return [];
    const pod = Pod.safeParse(body).data;
    const isReady = pod?.status.conditions.some(({ type, status }) => type === "Ready" && status === "True");
    return isReady === true && nodes.has(pod?.spec.nodeName ?? "") ? [name] : [];
  });
}
