import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { ACME_STATE, CERTIFICATES_NAMESPACE } from "../../platform/certificates.ts";
import { ingressAddress } from "../../platform/pool.ts";
import { poll } from "../../support/poll.ts";
import type { CastleRun } from "../castle-run.ts";

const EVERY = 300;
/** Milliseconds that a host may be unknown once the ACME controller asks for it. */
const UNKNOWN = 15_000;

const hostShape = z.object({
  state: z.enum(["pending", "valid", "failed"]),
  namespace: z.string(),
  secret: z.string(),
  issuer: z.string().optional(),
  notAfter: z.string().optional(),
  message: z.string().optional(),
  error: z.string().optional(),
  nextTry: z.string().optional(),
});
/** What the ACME controller says of one host. */
export type HostCertificate = Readonly<z.infer<typeof hostShape>>;

const stateShape = z.object({ data: z.record(z.string(), z.string()).optional() });

/** How the certificate of each host stands; empty where there is no ACME controller yet. */
export async function hostCertificates(
  api: KubernetesApi,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, HostCertificate>> {
  const path = `/api/v1/namespaces/${CERTIFICATES_NAMESPACE}/configmaps/${ACME_STATE}`;
  const { status, body } = await api.call({ path, signal });
  const { data = {} } = status === 200 ? stateShape.parse(body) : {};
  return new Map(Object.entries(data).map(([host, text]) => [host, hostShape.parse(JSON.parse(text))]));
}

/**
 * Waits until every site's certificate is valid.
 * @throws CastleError platform/certificate-failed with the authority's own words, platform/host-unreachable
 */
export async function allCertificatesValid(
  { castle, report, signal, patience }: Pick<CastleRun, "castle" | "report" | "signal" | "patience">,
  api: KubernetesApi,
): Promise<{ detail: string }> {
  const hosts = (castle.sites ?? []).map(({ host }) => host);
  let last = "the ACME controller has not said anything yet";
  let unknownSince: number | undefined;
  await poll(
    async () => {
      const found = await hostCertificates(api, signal).catch((error: unknown) => {
        if (!(error instanceof CastleError) || error.code !== "kubernetes/unreachable") throw error;
        last = error.message;
        return undefined;
      });
      if (found === undefined) return undefined;
      const valid = hosts.filter((host) => found.get(host)?.state === "valid");
      report({
        type: "progress",
        id: "certificates",
        message: `${valid.length} of ${hosts.length}`,
        done: valid.length,
        total: hosts.length,
      });
      if (valid.length === hosts.length) return true;
      const waiting = hosts.flatMap((host) => {
        const state = found.get(host);
        return state === undefined || state.state === "valid" ? [] : [{ host, ...state }];
      });
      last = waiting
        .map(({ host, state, message, error }) => `${host} is ${state}: ${error ?? message}`)
        .join("; ");
      const failed = waiting.find(({ state }) => state === "failed");
      if (failed !== undefined) throw certificateFailed(failed.host, failed);
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
          hint: `castle kubectl -- -n ${CERTIFICATES_NAMESPACE} get configmap ${ACME_STATE} -o yaml`,
        }),
    },
  );
  return { detail: hosts.join(", ") };
}

function certificateFailed(host: string, { error, message, nextTry }: HostCertificate): CastleError {
  const again = nextTry === undefined ? "" : `; the castle itself tries again at ${nextTry}`;
  return new CastleError("platform/certificate-failed", {
    message: `${host} got no certificate: ${error ?? message}${again}`,
    hint: `castle kubectl -- -n ${CERTIFICATES_NAMESPACE} logs deployment/acme`,
    details: { host, nextTry },
  });
}
