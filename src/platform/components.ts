import type { Castle } from "../spec/castle.ts";
import { certificates } from "./certificates.ts";
import type { Component, ComponentName } from "./component.ts";
import { isMonitored } from "../spec/monitoring.ts";
import { flux } from "./flux.ts";
import { metallb, metallbPool } from "./metallb.ts";
import { monitoring } from "./monitoring/monitoring.ts";
import { sites } from "./sites.ts";
import type { SourceObjects } from "./sources.ts";
import { platformImages, type Surroundings } from "./surroundings.ts";
import { synchronisation } from "./synchronisation.ts";
import { traefik, traefikDefinitions } from "./traefik.ts";

/** Which components this spec asks for, Flux first, each after what it depends on. A section that is absent is not installed. */
export function componentNames(castle: Castle): readonly ComponentName[] {
  const { loadBalancer, ingress, sites } = castle;
  const hasSites = sites !== undefined && sites.length > 0;
  return [
    "flux-system",
    ...(loadBalancer === undefined ? [] : (["metallb", "metallb-pool"] as const)),
    ...(ingress === undefined ? [] : (["traefik-crds", "traefik"] as const)),
    ...(ingress?.tls === undefined ? [] : (["certificates"] as const)),
    ...(hasSites ? (["sites"] as const) : []),
    ...(isMonitored(castle) ? (["monitoring"] as const) : []),
  ];
}

/** The components with their objects; none without gitops. */
export function platformComponents(
  castle: Castle,
  sources: SourceObjects,
  surroundings: Surroundings,
): readonly Component[] {
  const { gitops, loadBalancer } = castle;
  if (gitops === undefined) return [];
  const images = platformImages(castle, surroundings);
  const names = componentNames(castle);
  const make: Readonly<Record<string, () => Component>> = {
    metallb: () => metallb(sources, images),
    "metallb-pool": () => metallbPool(loadBalancer?.pool ?? ""),
    "traefik-crds": () => traefikDefinitions(sources),
    traefik: () => traefik(castle, sources, images),
    certificates: () => certificates(castle, surroundings),
    sites: () => sites(castle, surroundings),
    monitoring: () => monitoring(castle, images, names.slice(1, -1)),
  };
  const above = names.flatMap((name) => make[name]?.() ?? []);
  return [flux(sources, images, synchronisation(gitops, surroundings.repository, above)), ...above];
}
