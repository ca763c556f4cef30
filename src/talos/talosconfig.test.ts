import { createPrivateKey } from "node:crypto";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { credentials, talosconfig } from "../../test/fixtures/talos/node.ts";
import { Secret } from "../support/secret.ts";
import { aimTalosconfig, readCredentials } from "./talosconfig.ts";

it("relabels Talos' key so that Node can read it", () => {
  const read = readCredentials(talosconfig("fortress"));
  expect(createPrivateKey(read.key.reveal()).asymmetricKeyType).toBe("ed25519");
  expect(read.authority).toBe(credentials("fortress").authority);
  expect(read.certificate).toBe(credentials("fortress").certificate);
});

it("changes targets and nothing else", () => {
  const original = talosconfig("fortress");
  const aimed = aimTalosconfig(original, {
    endpoints: ["127.0.0.1:40001"],
    nodes: ["192.168.1.211", "192.168.1.214"],
  });
  const before: unknown = parse(original.reveal());
  const after: unknown = parse(aimed.reveal());
  expect(after).toMatchObject({ context: "fortress" });
  expect(after).toHaveProperty("contexts.fortress.endpoints", ["127.0.0.1:40001"]);
  expect(after).toHaveProperty("contexts.fortress.nodes", ["192.168.1.211", "192.168.1.214"]);
  expect(withoutTargets(after)).toEqual(withoutTargets(before));
});

it("gives the same bytes for the same targets", () => {
  const targets = { endpoints: ["192.168.1.211"], nodes: ["192.168.1.211"] };
  const once = aimTalosconfig(talosconfig("fortress"), targets);
  expect(aimTalosconfig(once, targets).reveal()).toBe(once.reveal());
});

it.each([
  ["is not YAML", "{context: [QUxMIE9G"],
  ["has no current context", "context: other\ncontexts: {}\n"],
  ["has a key that is none", "context: a\ncontexts: { a: { ca: QQ==, crt: QQ==, key: QUxMIE9G } }\n"],
])("refuses a talosconfig that %s, without quoting it", (_what, text) => {
  let failure: unknown;
  try {
    readCredentials(new Secret(text));
  } catch (error) {
    failure = error;
  }
  expect(failure).toMatchObject({ code: "talos/malformed" });
  expect(String(failure)).not.toContain("QUxMIE9G");
});

function withoutTargets(talosconfig: unknown): string {
  return JSON.stringify(talosconfig, (key, value: unknown) =>
    key === "endpoints" || key === "nodes" ? undefined : value,
  );
}
