import { z } from "zod";
import { KubernetesApi } from "../kubernetes/api.ts";
import { componentNames } from "../platform/components.ts";
import { ingressAddress } from "../platform/pool.ts";
import { TRAEFIK_NAMESPACE, TRAEFIK_SERVICE } from "../platform/traefik.ts";
import type { Castle } from "../spec/castle.ts";
import type { Secret } from "../support/secret.ts";
import { certificateStates } from "./certificates/state.ts";
import { fluxState } from "./fortify/flux-state.ts";
import { siteUrl } from "./fortify/pages.ts";

export interface ComponentStatus {
  readonly name: string;
  /** Flux has applied what it fetched last, and all of it is healthy. */
  readonly ready: boolean;
  readonly revision?: string;
  /** Flux' own words. */
  readonly message: string;
}

export interface SiteStatus {
  readonly name: string;
  readonly host: string;
  readonly url: string;
  readonly certificate: "pending" | "valid" | "failed" | "none";
}

export interface PlatformStatus {
  readonly healthy: boolean;
  /** What Flux fetched last, BRANCH@sha1:COMMIT. */
  readonly revision?: string;
  /** Flux' words on the repository. */
  readonly source: string;
  readonly components: readonly ComponentStatus[];
  readonly ingress: { readonly wanted?: string; readonly address?: string };
  readonly sites: readonly SiteStatus[];
}

/** What Flux, the ingress and the ACME controller say now. @throws CastleError kubernetes/… */
export async function platformStatus(
  castle: Castle,
  kubeconfig: Secret,
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
): Promise<PlatformStatus> {
  const api = new KubernetesApi(kubeconfig);
  try {
    const [{ sources, components }, address, certificates] = await Promise.all([
      fluxState(api, signal),
      serviceAddress(api, signal),
      certificateStates(api, castle, { now, signal }),
    ]);
    const all = [...sources.values()];
    const latest = all.toSorted((one, other) =>
      (other.fetchedAt ?? "").localeCompare(one.fetchedAt ?? ""),
    )[0];
    const refused = all.find(({ verdict }) => verdict.kind === "false");
    const wanted = castle.ingress === undefined ? undefined : ingressAddress(castle);
    const states = componentNames(castle).map((name): ComponentStatus => {
      const { revision, verdict, current = false } = components.get(name) ?? {};
      return {
        name,
        // Flux looks again every minute, and says nothing of the component's health meanwhile.
        ready: verdict !== undefined && verdict.kind !== "false" && current,
        ...(revision === undefined ? {} : { revision }),
        message: verdict?.words ?? "it is not there",
      };
    });
    const sites = (castle.sites ?? []).map(
      ({ name, host }): SiteStatus => ({
        name,
        host,
        url: siteUrl(host),
        certificate: certificates.find((one) => one.host === host)?.state ?? "none",
      }),
    );
    return {
      healthy:
        latest?.verdict.kind === "true" &&
        refused === undefined &&
        states.every(({ ready }) => ready) &&
        address === wanted &&
        sites.every(({ certificate }) => certificate === "valid" || certificate === "none"),
      ...(latest?.revision === undefined ? {} : { revision: latest.revision }),
      source: (refused ?? latest)?.verdict.words ?? "it is not there",
      components: states,
      ingress: {
        ...(wanted === undefined ? {} : { wanted }),
        ...(address === undefined ? {} : { address }),
      },
      sites,
    };
  } finally {
    api.close();
  }
}

const serviceShape = z.object({
  status: z.object({
    loadBalancer: z.object({ ingress: z.array(z.object({ ip: z.string() })).optional() }),
  }),
});

async function serviceAddress(api: KubernetesApi, signal: AbortSignal): Promise<string | undefined> {
  const path = `/api/v1/namespaces/${TRAEFIK_NAMESPACE}/services/${TRAEFIK_SERVICE}`;
  const { status, body } = await api.call({ path, signal });
  if (status !== 200) return undefined;
  return serviceShape.safeParse(body).data?.status.loadBalancer.ingress?.[0]?.ip;
}
