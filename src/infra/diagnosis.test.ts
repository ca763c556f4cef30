import { describe, expect, it } from "vitest";
import { diagnose, wantsInit } from "./diagnosis.ts";

const context = { endpoint: "https://pve.lan:8006", directory: "/state/terraform" };

function error(summary: string, detail = "") {
  return { diagnostics: [{ severity: "error" as const, summary, detail }], text: "" };
}

describe("diagnose", () => {
  it.each([
    ["received an HTTP 401 response - Reason: authentication failure", "infra/token-rejected"],
    [
      "received an HTTP 403 response - Reason: Permission check failed (/vms, VM.Allocate)",
      "infra/permission-denied",
    ],
    ["dial tcp 10.0.0.1:8006: connect: connection refused", "infra/endpoint-unreachable"],
    ["dial tcp: lookup pve.lan: no such host", "infra/endpoint-unreachable"],
    [
      "tls: failed to verify certificate: x509: certificate signed by unknown authority",
      "infra/certificate-untrusted",
    ],
    [
      "received an HTTP 500 response - Reason: unable to create VM 100: config file already exists",
      "infra/vm-id-taken",
    ],
    ["storage 'local' does not support content type 'import'", "infra/image-rejected"],
    ["Error acquiring the state lock", "infra/state-locked"],
    ["Failed to query available provider packages", "infra/provider-unavailable"],
    ["the moon is in the wrong house", "infra/terraform-failed"],
  ])("translates %j", (text, code) => {
    const translated = diagnose(error("Something failed", text), context);
    expect(translated.code).toBe(code);
    expect(translated.hint).toBeTruthy();
    expect(translated.details["diagnostics"]).toEqual([`Something failed: ${text}`]);
  });

  it("reads plain text where a command has no machine-readable form", () => {
    const text = "╷\n│ Error: Failed to install provider\n│\n│ no luck\n╵";
    expect(diagnose({ diagnostics: [], text }, context).code).toBe("infra/provider-unavailable");
  });

  it("names the machine in question", () => {
    const address = "proxmox_virtual_environment_vm.fortress-cp-1";
    const diagnostics = [{ severity: "error" as const, summary: "oops", detail: "", address }];
    expect(diagnose({ diagnostics, text: "" }, context).message).toContain("machine fortress-cp-1: oops");
  });

  it("overlooks warnings", () => {
    const diagnostics = [{ severity: "warning" as const, summary: "HTTP 401 once", detail: "" }];
    expect(diagnose({ diagnostics, text: "" }, context).code).toBe("infra/terraform-failed");
  });
});

describe("wantsInit", () => {
  it("knows the words of a folder without the provider", () => {
    expect(wantsInit(error("Required plugins are not installed"))).toBe(true);
    expect(wantsInit(error("Inconsistent dependency lock file"))).toBe(true);
    expect(wantsInit(error("received an HTTP 401 response"))).toBe(false);
  });
});
