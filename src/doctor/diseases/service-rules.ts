import { z } from "zod";
import type { CastleNode } from "../../spec/castle.ts";
import type { Chart, Disease, Sought } from "../disease.ts";
import type { Door, Examination } from "../examination.ts";
import { openPorts } from "../listening.ts";
import { type Endpoint, endpointsOf } from "../manifests/endpoints.ts";
import { hasLabels } from "../manifests/pods.ts";
import { objectName } from "../manifests/manifest.ts";
import { type ServiceObject, services } from "../manifests/services.ts";
import { arpUnknown, cardName, holdersOf } from "../neighbourhood.ts";
import { kubectl } from "../remedy.ts";

const Pod = z.object({ spec: z.object({ nodeName: z.string().optional() }) });

/** Everything at both ends is well: a node takes the connection, the pods listen, and nothing leads from there to them. */
export const serviceRules: Disease = {
  id: "service-rules",
  title: "A node takes a load balancer's connections and does not send them on to pods that listen",
  reads: ["Service", "EndpointSlice", "Pod"],
  unknown: arpUnknown,
  diagnose: (chart) => {
    const { examination } = chart;
    if (examination === undefined || examination.lan.silent !== undefined) return [];
    const { doors } = examination.lan;
    return services(chart.manifests).flatMap((service) => {
      const shut = doors.filter(
        (door) => door.refused !== undefined && objectName(service.manifest) === `Service ${door.service}`,
      );
      const first = shut.find((door) => listeners(examination, chart, service, door).length > 0);
      const taker = first === undefined ? undefined : takerOf(chart, examination, first);
      return first === undefined || taker === undefined ? [] : [lost(chart, { service, shut, first, taker })];
    });
  },
};

/** The pods that listen where this door leads; none where a single one of those that are ready does not. */
function listeners(
  examination: Examination,
  { manifests }: Chart,
  service: ServiceObject,
  door: Door,
): readonly Endpoint[] {
  const name = service.ports.find(({ port }) => port === door.port)?.name ?? "";
  const ready = endpointsOf(service, manifests).filter((endpoint) => endpoint.ready);
  const listen = ready.filter((endpoint) => {
    const target = endpoint.ports.get(name);
    return target !== undefined && openPorts(examination, endpoint)?.includes(target) === true;
  });
  return listen.length === ready.length ? listen : [];
}

/** The one node that answers ARP for the door's address. */
function takerOf(chart: Chart, { castle }: Examination, { address }: Door): CastleNode | undefined {
  const [holder, ...others] = holdersOf(chart, address) ?? [];
  return others.length === 0 ? castle.nodes.find(({ mac }) => mac === holder) : undefined;
}

interface Lost {
  readonly service: ServiceObject;
  readonly shut: readonly Door[];
  readonly first: Door;
  readonly taker: CastleNode;
}

function lost(chart: Chart, { service, shut, first, taker }: Lost): Sought {
  const { examination } = chart;
  const { address } = first;
  const name = objectName(service.manifest);
  const listening = examination === undefined ? [] : listeners(examination, chart, service, first);
  const proxy = proxyOn(chart, taker);
  return {
    severity: "critical",
    object: name,
    message: `${taker.name} takes connections to ${address}:${first.port} and does not send them on, although its pods listen`,
    evidence: [
      `ARP: who has ${address}? ${examination === undefined ? taker.mac : cardName(examination, taker.mac)}`,
      ...shut.map(({ port, refused }) => `${address}:${port}: ${refused}`),
      ...listening.map(
        ({ pod, node, ports }) =>
          `Pod ${pod} on ${node ?? "no node"} listens on ${[...ports.values()].join(", ")}`,
      ),
      proxy === undefined
        ? `no kube-proxy runs on ${taker.name}`
        : `Pod kube-system/${proxy} writes that node's rules`,
    ],
    fix: `kube-proxy on ${taker.name} writes its rules anew when it starts`,
    command:
      proxy === undefined
        ? kubectl(chart, "-n kube-system get daemonset kube-proxy")
        : kubectl(chart, `-n kube-system delete pod ${proxy}`),
    symptoms: shut.map(({ port }) => `${address}:${port}`),
  };
}

function proxyOn({ manifests }: Chart, node: CastleNode): string | undefined {
  return manifests.find(
    ({ kind, namespace, labels, body }) =>
      kind === "Pod" &&
      namespace === "kube-system" &&
      hasLabels(labels, { "k8s-app": "kube-proxy" }) &&
      Pod.safeParse(body).data?.spec.nodeName === node.name,
  )?.name;
}
