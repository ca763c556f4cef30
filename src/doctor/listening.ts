import { z } from "zod";
import type { Chart } from "./disease.ts";
import type { Examination } from "./examination.ts";
import { type Endpoint, endpointsOf } from "./manifests/endpoints.ts";
import { type PodTemplate, hasLabels } from "./manifests/pods.ts";
import type { ServiceObject } from "./manifests/services.ts";

/** A pod, and where it runs. */
export interface PlacedPod {
  /** NAMESPACE/NAME */
  readonly pod: string;
  readonly node: string | undefined;
  /** Its own, or its node's where it uses the node's network. */
  readonly address: string;
}

/**
 * The TCP ports that a pod answers on from outside, sorted; undefined: its node did not tell. Seen in the kernel's own
 * table of sockets: what a manifest declares opens no port.
 */
export function openPorts(
  { nodes }: Examination,
  { pod, node: name, address }: PlacedPod,
): readonly number[] | undefined {
  const host = nodes.find(({ node }) => node.name === name);
  if (host === undefined || host.silent !== undefined || host.sockets === undefined) return undefined;
  const onHost = address === host.node.address;
  const sockets = host.sockets.filter((socket) => socket.pod === (onHost ? undefined : pod));
  // A node that tells of nobody's sockets knows no pods, rather than none that listen.
  if (!onHost && sockets.length === 0 && host.sockets.every((socket) => socket.pod === undefined))
    return undefined;
  const open = sockets.filter((socket) => !/^(127\.|::1$)/.test(socket.address)).map(({ port }) => port);
  return [...new Set(open)].sort((one, other) => one - other);
}

/** A ready pod behind a port of a Service. */
export interface Hop {
  readonly endpoint: Endpoint;
  /** Where connections go in it; undefined: its slice has no such port. */
  readonly target: number | undefined;
  /** As `openPorts` has them. */
  readonly open: readonly number[] | undefined;
}

/** The last hops of a connection to a Service's port, one for each pod that is ready. */
export function hopsTo(
  examination: Examination,
  manifests: Chart["manifests"],
  service: ServiceObject,
  port: ServiceObject["ports"][number] | undefined,
): readonly Hop[] {
  return endpointsOf(service, manifests)
    .filter(({ ready }) => ready)
    .map((endpoint) => ({
      endpoint,
      target: endpoint.ports.get(port?.name ?? ""),
      open: openPorts(examination, endpoint),
    }));
}

const Pod = z.object({
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ podIP: z.string().default("") }),
});

/** Whether a pod made from this template listens on the port; undefined: there is none, or nobody told. */
export function listensSomewhere(chart: Chart, template: PodTemplate, port: number): boolean | undefined {
  const { examination, manifests } = chart;
  if (examination === undefined) return undefined;
  const told = manifests.flatMap((manifest) => {
    if (manifest.kind !== "Pod" || manifest.namespace !== template.manifest.namespace) return [];
    if (!hasLabels(manifest.labels, template.labels)) return [];
    const pod = Pod.safeParse(manifest.body).data;
    if (pod === undefined) return [];
    const placed = {
      pod: `${manifest.namespace}/${manifest.name}`,
      node: pod.spec.nodeName,
      address: pod.status.podIP,
    };
    return openPorts(examination, placed) ?? [];
  });
  return told.length === 0 ? undefined : told.includes(port);
}
