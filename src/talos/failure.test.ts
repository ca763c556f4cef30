import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { type Attempt, talosFailure } from "./failure.ts";

const TRUSTED: Attempt = { node: "fortress-cp-1", call: "Version", deadline: 10_000, trusted: true };

function unavailable(socket: string): ServiceError {
  const details = `No connection established. Last error: ${socket}\n (2026-11-23T03:49:00.443Z). Resolution note: `;
  return Object.assign(new Error(details), { code: status.UNAVAILABLE, details, metadata: new Metadata() });
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
  const details = "configuration validation failed: 1 error occurred";
  const error = Object.assign(new Error(details), {
    code: status.INVALID_ARGUMENT,
    details,
    metadata: new Metadata(),
  });
  const failure = talosFailure(error, { ...TRUSTED, call: "ApplyConfiguration" });
  expect(failure).toMatchObject({ code: "talos/config-rejected" });
  expect(failure.hint).toContain("patches");
});
