import { z } from "zod";
import type { Disease } from "../disease.ts";
import { addressPools } from "../manifests/address-pools.ts";
import { services } from "../manifests/services.ts";
import { editCommand } from "../remedy.ts";

const Refusal = z.object({
  message: z.string(),
  involvedObject: z.object({ kind: z.string(), name: z.string(), namespace: z.string().default("default") }),
});

/** Pending for ever: MetalLB says why in an event that nobody reads. */
export const loadBalancerAddress: Disease = {
  id: "load-balancer-address",
  title: "A Service gets no address",
  reads: ["Service", "Event", "IPAddressPool"],
  diagnose: (chart) => {
    if (chart.at === undefined) return [];
    const pools = addressPools(chart.manifests);
    return services(chart.manifests)
      .filter(({ type, addresses }) => type === "LoadBalancer" && addresses.length === 0)
      .map(({ manifest }) => {
        const { namespace, name } = manifest;
        const said = chart.manifests.flatMap(({ kind, body }) => {
          const event = kind === "Event" ? Refusal.safeParse(body).data : undefined;
          const of = event?.involvedObject;
          return event !== undefined &&
            of?.kind === "Service" &&
            of.name === name &&
            of.namespace === namespace
            ? [event.message]
            : [];
        });
        return {
          severity: "critical" as const,
          object: `Service ${namespace}/${name}`,
          message: `it has no address: ${said.at(-1) ?? (pools.length === 0 ? "there is no IPAddressPool" : "MetalLB said nothing of it")}`,
          evidence: [
            ...said.slice(-1).map((message) => `event AllocationFailed: ${message}`),
            ...pools.map(({ object, text }) => `${object}: ${text}`),
          ],
          fix: "ask for an address that a pool has, or make the pool larger: loadBalancer.pool in castle.yaml",
          command: editCommand(chart, manifest),
        };
      });
  },
};
