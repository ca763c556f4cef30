import { ingressAddress } from "../../platform/pool.ts";
import type { Castle } from "../../spec/castle.ts";

/** What the castle's network has to know by name: its nodes, and its sites at the ingress address. */
export function announcedNames(castle: Castle): Readonly<Record<string, string>> {
  const ingress = castle.gitops === undefined ? undefined : ingressAddress(castle);
  return Object.fromEntries([
    ...castle.nodes.map(({ name, address }) => [name, address] as const),
    ...(ingress === undefined ? [] : (castle.sites ?? []).map(({ host }) => [host, ingress] as const)),
  ]);
}
