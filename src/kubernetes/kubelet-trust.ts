import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import type { Secret } from "../support/secret.ts";
import { readCredentials } from "./credentials.ts";

/** Milliseconds that a node's clock may be off: who is further off finds good certificates bad. */
const CLOCK = 60_000;

export interface KubeletQuery {
  readonly host: string;
  readonly port: number;
  readonly kubeconfig: Secret;
  readonly signal: AbortSignal;
}

/**
 * Whether a kubelet knows this castle's authority, by its answer to a certificate that its own API server would take.
 * Nothing that it says is believed and no token is sent, so its own certificate is not checked.
 * @returns undefined: it does not answer, or not so that it tells
 * @throws CastleError kubernetes/kubeconfig
 */
export function kubeletTrusts({
  host,
  port,
  kubeconfig,
  signal,
}: KubeletQuery): Promise<boolean | undefined> {
  const { cert, key } = readCredentials(kubeconfig).tls;
  if (cert === undefined || key === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const asked = request({
      host,
      port,
      path: "/healthz",
      cert,
      key,
      rejectUnauthorized: false,
      agent: false,
      signal,
    });
    asked.on("response", (response) => {
      response.resume();
      resolve(trustIn(response.statusCode ?? 0, response.headers, new Date()));
    });
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}

/** 401 is said of who shows no certificate of its authority; 200 and 403 come behind that. */
export function trustIn(
  status: number,
  { date }: Pick<IncomingHttpHeaders, "date">,
  now: Date,
): boolean | undefined {
  if (status === 200 || status === 403) return true;
  const off = Math.abs(Date.parse(date ?? "") - now.getTime());
  return status === 401 && off < CLOCK ? false : undefined;
}
