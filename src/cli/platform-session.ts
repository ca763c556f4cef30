import { join } from "node:path";
import { partSets } from "../lab/parts/part-sets.ts";
import type { PartsStore } from "../lab/parts/store.ts";
import type { PlatformMaterials } from "../lifecycle/fortify/materials.ts";
import type { LabPlatformParts } from "../lifecycle/ground/lab-platform.ts";
import type { Castle } from "../spec/castle.ts";
import { Secret } from "../support/secret.ts";
import type { Context } from "./context.ts";
import { openParts } from "./parts-session.ts";
import { places } from "./places.ts";

/** Parts with the upstream projects' own YAML. */
const MANIFESTS = ["flux-manifests", "metallb-manifests", "traefik-crds"] as const;

/** What a platform is made from on this machine. @throws CastleError parts/missing */
export async function platformMaterials(context: Context, overwrite: boolean): Promise<PlatformMaterials> {
  const parts = openParts(context);
  const webhook = context.env["CASTLE_MONITORING_WEBHOOK"];
  const token = context.env["CASTLE_GIT_TOKEN"];
  return {
    manifests: await manifestFolders(parts),
    placeholder: {
      base: await parts.resolve("nginx-base"),
      pages: join(places(context).installation, "parts", "placeholder"),
    },
    environment: context.env,
    webhook: webhook === undefined || webhook === "" ? undefined : new Secret(webhook),
    ...(token === undefined || token === "" ? {} : { gitToken: new Secret(token) }),
    overwrite,
  };
}

export async function manifestFolders(parts: PartsStore): Promise<PlatformMaterials["manifests"]> {
  const folders = await Promise.all(
    MANIFESTS.map(async (name) => [name, await parts.resolve(name)] as const),
  );
  return Object.fromEntries(folders);
}

/** What a lab serves for a platform. @throws CastleError parts/missing */
export async function labPlatformParts(castle: Castle, parts: PartsStore): Promise<LabPlatformParts> {
  const sets = partSets(castle).filter((set) => set !== "machines");
  const [images, pebble] = await Promise.all([parts.images(sets), parts.resolve("pebble")]);
  return { images, pebble };
}
