import type { TestProject } from "vitest/node";
import { ensureParts } from "../../src/lab/parts/builder.ts";
import { canRunLab, partsStore } from "../fixtures/parts.ts";

/** What contract suites use beyond the lab's own parts, which `npm test` has made before. */
const NAMES = [
  "etcd",
  "kube-apiserver",
  "flux-manifests",
  "metallb-manifests",
  "traefik-crds",
  "nginx-base",
  "pebble",
  "promtool",
  "terraform-provider-proxmox",
  "image-acme",
  "vip-warden",
];

/** Runs once before the contract suites; a store that has all of it is left alone. */
export default async function prepareParts(_project: TestProject): Promise<void> {
  if (!canRunLab) return;
  const caches = process.env["CASTLE_GO_CACHES"];
  await ensureParts(partsStore, NAMES, {
    report: (event) => {
      if (event.type === "finished") console.log(`${event.id} ${event.milliseconds} ms`);
    },
    ...(caches === undefined ? {} : { caches, keepCaches: true }),
  });
}
