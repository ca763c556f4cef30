import { type ServiceError, status } from "@grpc/grpc-js";
import { CastleError } from "../errors/castle-error.ts";
import type { ErrorCode } from "../errors/catalogue.ts";

/** What was asked of whom, for the sentence that people read. */
export interface Attempt {
  /** The node as people know it: its name or address. */
  readonly node: string;
  readonly call: string;
  /** Milliseconds that the call was given. */
  readonly deadline: number;
  /** Whether the call showed a client certificate; without one it is meant for maintenance mode. */
  readonly trusted: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The one place where gRPC's errors become castle's. TLS alerts arrive as text within UNAVAILABLE, so this is also the
 * one place that looks at wording.
 */
export function talosFailure(error: ServiceError, attempt: Attempt): CastleError {
  const { node, call, deadline, trusted, signal } = attempt;
  const said = reason(error.details === "" ? error.message : error.details);
  const fail = (code: ErrorCode, message: string, hint?: string) =>
    new CastleError(code, {
      message,
      ...(hint === undefined ? {} : { hint }),
      cause: error,
      details: { node, call, grpc: status[error.code] },
    });
  const refusals: Partial<Record<status, () => CastleError>> = {
    [status.UNAVAILABLE]: () => {
      if (!trusted && asksForCertificate(said)) return notInMaintenance(node, call, error);
      if (isDistrust(said)) return distrust(node, call, error);
      if (said.startsWith("etcdserver:"))
        return fail("talos/not-ready", `etcd of ${node} is not ready for ${call}: ${said}`);
      return fail("talos/unreachable", `${node} does not answer ${call}: ${said}`, "castle status");
    },
    [status.DEADLINE_EXCEEDED]: () =>
      fail("talos/unreachable", `${node} did not answer ${call} within ${deadline} ms`, "castle status"),
    // A node that goes down cancels what it was doing for us; that is no wish of ours.
    [status.CANCELLED]: () =>
      signal?.aborted === true
        ? fail("command/interrupted", `${call} to ${node} was interrupted`)
        : fail("talos/unreachable", `${node} broke off ${call}: ${said}`, "castle status"),
    [status.UNAUTHENTICATED]: () => distrust(node, call, error),
    [status.PERMISSION_DENIED]: () => distrust(node, call, error),
    [status.FAILED_PRECONDITION]: () =>
      said.includes("is not supported in")
        ? fail("talos/unsupported", `${node} does not offer ${call}: ${said}`)
        : fail("talos/not-ready", `${node} is not ready for ${call}: ${said}`),
    [status.UNIMPLEMENTED]: () => fail("talos/unsupported", `${node} does not offer ${call}: ${said}`),
    [status.NOT_FOUND]: () => fail("talos/not-found", `${node} has no answer to ${call}: ${said}`),
  };
  const refusal = refusals[error.code];
  if (refusal !== undefined) return refusal();
  // In maintenance mode a configuration that cannot be parsed is answered with UNKNOWN.
  if (call === "ApplyConfiguration") {
    const hint = "check talos.patches and the node's patches in castle.yaml";
    return fail("talos/config-rejected", `${node} refused its machine configuration: ${said}`, hint);
  }
  return fail("talos/call-failed", `${node} answered ${call} with ${status[error.code]}: ${said}`);
}

function distrust(node: string, call: string, cause: ServiceError): CastleError {
  return new CastleError("talos/refused", {
    message: `${node} and this castle do not trust each other: it was set up with other secrets, or waits in maintenance mode`,
    hint: "castle status shows which; a node of another castle has to be wiped before this castle can use it",
    cause,
    details: { node, call },
  });
}

function notInMaintenance(node: string, call: string, cause: ServiceError): CastleError {
  return new CastleError("talos/not-in-maintenance", {
    message: `${node} asks for a client certificate: it has a configuration already`,
    hint: "castle status",
    cause,
    details: { node, call },
  });
}

/** TLS alert 116 by its OpenSSL name, or what is left when the node hangs up before the alert is read. */
function asksForCertificate(said: string): boolean {
  return /certificate required|alert number 116/i.test(said);
}

/** Their certificate is not from our authority, or ours not from theirs. */
function isDistrust(said: string): boolean {
  return /self-signed certificate|unable to verify|unable to get (local )?issuer|certificate (signature|has expired|is not yet valid)|altnames|bad certificate|unknown (ca|authority)|certificate required|alert number (42|46|48|116)/i.test(
    said,
  );
}

/** grpc-js wraps what a socket said in its own words and the time; people need the cause alone. */
function reason(details: string): string {
  const socket = /Last error: (.*?)\s*(?:\(\d{4}-\d\d-\d\dT[^)]*\))?\. Resolution note:/s.exec(details)?.[1];
  return (socket ?? details).replace(/^Error: /, "").trim();
}
