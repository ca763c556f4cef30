import { CastleError } from "../../errors/castle-error.ts";
import { CERTIFICATES_NAMESPACE } from "../../platform/certificates.ts";
import { ingressAddress } from "../../platform/pool.ts";
import { poll } from "../../support/poll.ts";
import type { CastleRun } from "../castle-run.ts";
import { type CertificateState, certificateStates } from "../certificates/state.ts";
import type { FluxView } from "./synchronised.ts";

const EVERY = 300;
/** Milliseconds that a host may be unknown once the ACME controller asks for it. */
const UNKNOWN = 15_000;
/** Milliseconds to the next order for which an old failure is no answer yet: what it failed of may be mended. */
const SOON = 15_000;

/**
 * Waits until every site's certificate is valid.
 * @param directory where the spec has them ordered now: what another one said is no answer
 * @throws CastleError platform/certificate-failed with the authority's own words, platform/host-unreachable,
 *   platform/stalled
 */
export async function allCertificatesValid(
  {
    castle,
    report,
    now,
    signal,
    patience,
  }: Pick<CastleRun, "castle" | "report" | "now" | "signal" | "patience">,
  view: FluxView,
  directory: string,
): Promise<{ detail: string }> {
  const hosts = (castle.sites ?? []).map(({ host }) => host);
  let last = "the ACME controller has not said anything yet";
  let unknownSince: number | undefined;
  let before: ReadonlySet<string> | undefined;
  const look = async () => {
    const states = certificateStates(view.api, castle, { now: now(), signal });
    // What cannot go on by itself, for example an ingress without an address, which Flux takes for healthy.
    await Promise.all([states, view.latest()]);
    return states;
  };
  await poll(
    async () => {
      const found = await look().catch((error: unknown) => {
        if (!(error instanceof CastleError) || error.code !== "kubernetes/unreachable") throw error;
        last = error.message;
        return undefined;
      });
      if (found === undefined) return undefined;
      const waiting = found.filter(({ state }) => state !== "valid");
      const [done, total] = [hosts.length - waiting.length, hosts.length];
      report({ type: "progress", id: "certificates", message: `${done} of ${total}`, done, total });
      if (waiting.length === 0) return true;
      last = waiting
        .map(({ host, state, message, error }) => `${host} is ${state}: ${error ?? message}`)
        .join("; ");
      before ??= new Set(waiting.map(failureOf));
      const old = before;
      const failed = waiting.find(
        (one) =>
          one.state === "failed" &&
          (one.directory ?? directory) === directory &&
          !(old.has(failureOf(one)) && isTriedSoon(one, now())),
      );
      if (failed !== undefined) throw certificateFailed(failed);
      const unknown = waiting.find(({ message }) => /no such host/.test(message ?? ""));
      unknownSince = unknown === undefined ? undefined : (unknownSince ?? performance.now());
      if (unknown === undefined || performance.now() - (unknownSince ?? 0) < UNKNOWN) return undefined;
      const address = ingressAddress(castle);
      throw new CastleError("platform/host-unreachable", {
        message: `${unknown.host} does not resolve, so no authority can see that it is this castle's: ${unknown.message}`,
        hint: `give ${unknown.host} an A record${address === undefined ? "" : ` with ${address}`}, or the router's address that leads there; castle up goes on`,
        details: { host: unknown.host, address },
      });
    },
    {
      every: EVERY,
      within: patience,
      signal,
      onTimeout: () =>
        new CastleError("platform/certificate-failed", {
          message: `Not every site had its certificate within ${patience / 1000} s: ${last}`,
          hint: "castle certs",
        }),
    },
  );
  return { detail: hosts.join(", ") };
}

/** The same for the same failed order. */
function failureOf({ host, nextTry }: CertificateState): string {
  return `${host} ${nextTry}`;
}

function isTriedSoon({ nextTry }: CertificateState, now: Date): boolean {
  return nextTry !== undefined && Date.parse(nextTry) - now.getTime() < SOON;
}

function certificateFailed({ host, error, message, nextTry }: CertificateState): CastleError {
  const again = nextTry === undefined ? "" : `; the castle itself tries again at ${nextTry}`;
  const limited = /:rateLimited/.test(error ?? "")
    ? "ingress.tls.acme: letsencrypt-staging or another directory orders elsewhere until then; "
    : "";
  return new CastleError("platform/certificate-failed", {
    message: `${host} got no certificate: ${error ?? message}${again}`,
    hint: `${limited}castle certs; castle kubectl -- -n ${CERTIFICATES_NAMESPACE} logs deployment/acme`,
    details: { host, nextTry },
  });
}
