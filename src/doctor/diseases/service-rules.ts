import { z } from "zod";
import type { CastleNode } from "../../spec/castle.ts";
import type { Chart, Disease, Sought } from "../disease.ts";
import type { Door, Examination } from "../examination.ts";
import { type Hop, hopsTo } from "../listening.ts";
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
      const ways = shut.map((door) => {
        const port = service.ports.find((one) => one.port === door.port);
        return { door, hops: hopsTo(examination, chart.manifests, service, port) };
      });
      const way = ways.find(({ hops }) => hops.length > 0 && hops.every(listens));
      const taker = way === undefined ? undefined : takerOf(chart, examination, way.door);
      return way === undefined || taker === undefined
        ? []
        : [lost(chart, examination, { service, shut, way, taker })];
    });
  },
};

function listens({ target, open }: Hop): boolean {
  return target !== undefined && open?.includes(target) === true;
}

/** The one node that answers ARP for the door's address. */
function takerOf(chart: Chart, { castle }: Examination, { address }: Door): CastleNode | undefined {
  const [holder, ...others] = holdersOf(chart, address) ?? [];
  return others.length === 0 ? castle.nodes.find(({ mac }) => mac === holder) : undefined;
}

interface Lost {
  readonly service: ServiceObject;
  readonly shut: readonly Door[];
  /** The first of them that is known to lead to pods. */
  readonly way: { readonly door: Door; readonly hops: readonly Hop[] };
  readonly taker: CastleNode;
}

function lost(chart: Chart, examination: Examination, { service, shut, way, taker }: Lost): Sought {
  const { address, port: outside } = way.door;
  const proxy = proxyOn(chart, taker);
  return {
    severity: "critical",
    object: objectName(service.manifest),
    message: `${taker.name} takes connections to ${address}:${outside} and does not send them on, although its pods listen`,
    evidence: [
      `ARP: who has ${address}? ${cardName(examination, taker.mac)}`,
      ...shut.map(({ port, refused }) => `${address}:${port}: ${refused}`),
      ...way.hops.map(
        ({ endpoint: { pod, node, ports } }) =>
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
