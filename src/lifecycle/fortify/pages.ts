import { request } from "node:https";
import { CastleError } from "../../errors/castle-error.ts";
import { ingressAddress } from "../../platform/pool.ts";
import { siteTrust } from "../../platform/site-trust.ts";
import type { Site } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import type { Endpoint } from "../../talos/client.ts";
import type { CastleRun } from "../castle-run.ts";
import type { Authority } from "./kept-certificates.ts";

const EVERY = 200;
/** Milliseconds that Traefik has to show a certificate that exists, and that one answer may take. */
const WITHIN = 45_000;
const ANSWER = 3_000;
const HTTPS = 443;

/**
 * Asks every site for its page by HTTPS at the ingress address, as a visitor on the castle's network would, and
 * believes only a certificate that the authority issued for that host.
 */
export async function pagesServed(
  { castle, ground, signal }: Pick<CastleRun, "castle" | "ground" | "signal">,
  { acme }: Authority,
): Promise<{ detail: string }> {
  const address = ingressAddress(castle);
  if (address === undefined) return { detail: "the ingress has no address of its own" };
  const endpoint = await ground.reach(address, HTTPS);
  // Where it cannot be verified here, that the authority issued it is what the controller checks.
  const { ca, verified } = siteTrust(castle, acme?.roots);
  const trust = { ca, rejectUnauthorized: verified };
  const sites = castle.sites ?? [];
  await Promise.all(sites.map((site) => served(site, { endpoint, trust, address, signal })));
  return { detail: sites.map(({ host }) => siteUrl(host)).join(", ") };
}

export function siteUrl(host: string): string {
  return `https://${host}/`;
}

interface Visit {
  readonly endpoint: Endpoint;
  readonly trust: { readonly ca: string | undefined; readonly rejectUnauthorized: boolean };
  readonly address: string;
  readonly signal: AbortSignal;
}

async function served({ host }: Site, { endpoint, trust, address, signal }: Visit): Promise<void> {
  let last = "";
  await poll(
    async () => {
      const answer = await visit(host, endpoint, trust, signal);
      last = typeof answer === "number" ? `HTTP ${answer}` : answer.message;
      return answer === 200 ? true : undefined;
    },
    {
      every: EVERY,
      within: WITHIN,
      signal,
      onTimeout: () =>
        new CastleError("platform/page-failed", {
          message: `${siteUrl(host)} at ${address} did not show a page within ${WITHIN / 1000} s: ${last}`,
          hint: "castle kubectl -- -n traefik logs deployment/traefik",
          details: { host, address },
        }),
    },
  );
}

/** The status of the page; or why there was none. */
function visit(
  host: string,
  { host: at, port }: Endpoint,
  trust: Visit["trust"],
  signal: AbortSignal,
): Promise<number | Error> {
  return new Promise((resolve) => {
    const asked = request({
      host: at,
      port,
      path: "/",
      servername: host,
      headers: { host },
      agent: false,
      rejectUnauthorized: trust.rejectUnauthorized,
      ...(trust.ca === undefined ? {} : { ca: trust.ca }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER)]),
    });
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", resolve);
    asked.end();
  });
}
