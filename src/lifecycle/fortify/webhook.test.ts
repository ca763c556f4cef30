import { expect, test } from "vitest";
import { fortress } from "../../../test/fixtures/talos/castle.ts";
import type { Castle } from "../../spec/castle.ts";
import type { SecretStore } from "../../secrets/store.ts";
import { Secret } from "../../support/secret.ts";
import { webhookObjects } from "./webhook.ts";

const ADDRESS = "https://alerts.lan/T0KEN";

function watched(webhook: string | undefined): Castle {
  return {
    ...fortress,
    gitops: { repository: "https://git.lan/k8s.git", branch: "main", path: "clusters/fortress" },
    monitoring: { prometheus: true, grafana: false, ...(webhook === undefined ? {} : { webhook }) },
  };
}

/** A store in memory. */
function storeOf(kept: Map<string, Secret>): SecretStore {
  return {
    description: "fortress.secrets.age",
    get: (name) => Promise.resolve(kept.get(name)),
    put: (values) => {
      for (const [name, value] of Object.entries(values)) if (value !== undefined) kept.set(name, value);
      return Promise.resolve();
    },
    list: () => Promise.resolve([]),
    sync: () => Promise.resolve([]),
  };
}

const urls = (objects: Awaited<ReturnType<typeof webhookObjects>>) =>
  objects
    .filter(({ kind }) => kind === "Secret")
    .map((secret) => ("data" in secret ? JSON.stringify(secret.data) : ""));
const encoded = (url: string) => JSON.stringify({ url: Buffer.from(url).toString("base64") });

test("nobody is told where the spec names nobody, or nothing watches", async () => {
  const store = storeOf(new Map());
  expect(await webhookObjects({ castle: watched(undefined), store }, undefined)).toEqual([]);
  const idle = { ...watched(ADDRESS), monitoring: { prometheus: false, grafana: false, webhook: ADDRESS } };
  expect(await webhookObjects({ castle: idle, store }, undefined)).toEqual([]);
});

test("an address in the spec goes into the cluster, with the namespace that it needs", async () => {
  const objects = await webhookObjects({ castle: watched(ADDRESS), store: storeOf(new Map()) }, undefined);
  expect(objects.map(({ kind }) => kind)).toEqual(["Namespace", "Secret"]);
  expect(urls(objects)).toEqual([encoded(ADDRESS)]);
});

test("a secret address is given once, and kept", async () => {
  const kept = new Map<string, Secret>();
  const run = { castle: watched("secret"), store: storeOf(kept) };
  expect(urls(await webhookObjects(run, new Secret(ADDRESS)))).toEqual([encoded(ADDRESS)]);
  expect(kept.get("monitoring-webhook")?.reveal()).toBe(ADDRESS);
  expect(urls(await webhookObjects(run, undefined))).toEqual([encoded(ADDRESS)]);
});

test("a secret address that nobody has is asked for", async () => {
  const run = { castle: watched("secret"), store: storeOf(new Map()) };
  await expect(webhookObjects(run, undefined)).rejects.toMatchObject({
    code: "platform/webhook-unknown",
    hint: expect.stringContaining("CASTLE_MONITORING_WEBHOOK"),
  });
});
