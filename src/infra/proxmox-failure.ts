import { CastleError } from "../errors/castle-error.ts";

const CERTIFICATE_CODES = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_GET_ISSUER_CERT",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

export function tokenRejected(endpoint: string, cause?: unknown): CastleError {
  return new CastleError("infra/token-rejected", {
    message: `${endpoint} does not accept the API token`,
    hint: "set PROXMOX_VE_API_TOKEN to user@realm!name=secret; `pveum user token list USER` lists what exists",
    cause,
  });
}

export function endpointUnreachable(endpoint: string, why: string, cause?: unknown): CastleError {
  return new CastleError("infra/endpoint-unreachable", {
    message: `the Proxmox API at ${endpoint} does not answer: ${why}`,
    hint: "check hypervisor.proxmox.endpoint and the network; against the lab, run `castle lab status`",
    cause,
  });
}

export function certificateUntrusted(endpoint: string, why: string, cause?: unknown): CastleError {
  return new CastleError("infra/certificate-untrusted", {
    message: `the certificate of ${endpoint} is not trusted: ${why}`,
    hint: "install its certificate authority on this machine, or set hypervisor.proxmox.insecure: true",
    cause,
  });
}

/** Translates what fetch threw; Node hides the reason in a chain of causes. */
export function connectionFailure(endpoint: string, error: unknown): CastleError {
  const codes = chain(error).map((link) => codeOf(link));
  const untrusted = codes.find((code) => code !== undefined && CERTIFICATE_CODES.has(code));
  if (untrusted !== undefined) return certificateUntrusted(endpoint, untrusted, error);
  const last = chain(error).at(-1);
  const why =
    codes.find((code) => code !== undefined) ?? (last instanceof Error ? last.message : String(last));
  return endpointUnreachable(endpoint, why, error);
}

function chain(error: unknown): readonly unknown[] {
  const links: unknown[] = [];
  for (let link = error; link !== undefined && links.length < 8; ) {
    links.push(link);
    link = link instanceof Error ? link.cause : undefined;
  }
  return links;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
