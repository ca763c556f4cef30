import type { Castle } from "../spec/castle.ts";

/**
 * The address of the ingress: the pool's first, asked for by name, so that DNS can answer before the Service exists
 * and a rebuilt castle is found where the old one was.
 */
export function ingressAddress({ loadBalancer }: Castle): string | undefined {
  return loadBalancer?.pool.split("-")[0];
}
