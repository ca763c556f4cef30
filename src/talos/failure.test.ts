import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { type Attempt, talosFailure } from "./failure.ts";

const TRUSTED: Attempt = { node: "fortress-cp-1", call: "Version", deadline: 10_000, trusted: true };

function failed(code: status, details: string): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

function unavailable(socket: string): ServiceError {
  const details = `No connection established. Last error: ${socket}\n (2026-11-23T03:49:00.443Z). Resolution note: `;
  return failed(status.UNAVAILABLE, details);
}

// What a node's apid (Talos v1.11.5) made grpc-js say.
const UNKNOWN_CA =
  "807C:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:SSL alert number 48";
const CERTIFICATE_REQUIRED = "807C:error:0A00045C:SSL:tlsv13 alert certificate required:SSL alert number 116";

it.each([
  ["our certificate is of another castle", UNKNOWN_CA, true, "talos/refused"],
  ["theirs is", "Error: unable to verify the first certificate", true, "talos/refused"],
  [
    "theirs is its own authority, as in maintenance mode",
    "Error: self-signed certificate",
    true,
    "talos/refused",
  ],
  ["the node wants a certificate and we have none", CERTIFICATE_REQUIRED, false, "talos/not-in-maintenance"],
  ["nobody listens", "connect ECONNREFUSED 192.168.1.211:50000", true, "talos/unreachable"],
  ["a forward leads nowhere", "read ECONNRESET", false, "talos/unreachable"],
])("knows that %s", (_what, socket, trusted, code) => {
  expect(talosFailure(unavailable(socket), { ...TRUSTED, trusted }).code).toBe(code);
});

it("quotes the cause alone", () => {
  const failure = talosFailure(unavailable("connect EHOSTUNREACH 192.168.1.211:50000"), TRUSTED);
  expect(failure.message).toBe(
    "fortress-cp-1 does not answer Version: connect EHOSTUNREACH 192.168.1.211:50000",
  );
});

it("says of a refused configuration where to look", () => {
  const error = failed(status.INVALID_ARGUMENT, "configuration validation failed: 1 error occurred");
  const failure = talosFailure(error, { ...TRUSTED, call: "ApplyConfiguration" });
  expect(failure).toMatchObject({ code: "talos/config-rejected" });
  expect(failure.hint).toContain("patches");
});

it("tells a call that we broke off from one that a node broke off", () => {
  const cancelled = failed(status.CANCELLED, "context canceled");
  expect(talosFailure(cancelled, { ...TRUSTED, signal: AbortSignal.abort() }).code).toBe(
    "command/interrupted",
  );
  expect(talosFailure(cancelled, { ...TRUSTED, signal: new AbortController().signal }).code).toBe(
    "talos/unreachable",
  );
});

it("tells an etcd without quorum from a node that does not answer", () => {
  const failure = talosFailure(failed(status.UNAVAILABLE, "etcdserver: no leader"), TRUSTED);
  expect(failure).toMatchObject({ code: "talos/not-ready", exitCode: 4 });
});

it("knows that a proxied node is of another castle", () => {
  const details =
    "connection error: desc = authentication handshake failed: x509: certificate signed by unknown authority";
  expect(talosFailure(failed(status.UNAVAILABLE, details), TRUSTED).code).toBe("talos/refused");
});
