import { z } from "zod";
import type { Kind } from "./resources.ts";

// The resources of Talos v1.11 that castle reads, with namespace and type as `talosctl get` knows them.

const STAGES = [
  "unknown",
  "booting",
  "installing",
  "maintenance",
  "running",
  "rebooting",
  "shutting down",
  "resetting",
  "upgrading",
] as const;

export type MachineStage = (typeof STAGES)[number];

const UnmetCondition = z.object({ name: z.string(), reason: z.string() });

/** One a node, id `machine`. */
export const machineStatuses: Kind<{
  stage: MachineStage;
  status: { ready: boolean; unmetConditions: { name: string; reason: string }[] };
}> = {
  namespace: "runtime",
  type: "MachineStatuses.runtime.talos.dev",
  spec: z.object({
    stage: z.enum(STAGES),
    status: z.object({
      ready: z.boolean(),
      unmetConditions: z
        .array(UnmetCondition)
        .nullish()
        .transform((conditions) => conditions ?? []),
    }),
  }),
};

/** What discovery knows of the castle's nodes; the id is the host name. */
export const members: Kind<{ nodeId: string; hostname: string; machineType: string; addresses: string[] }> = {
  namespace: "cluster",
  type: "Members.cluster.talos.dev",
  spec: z.object({
    nodeId: z.string(),
    hostname: z.string(),
    machineType: z.string(),
    addresses: z.array(z.string()),
  }),
};

/** What a node calls itself; one a node, id `hostname`. */
export const hostnames: Kind<{ hostname: string }> = {
  namespace: "network",
  type: "HostnameStatuses.net.talos.dev",
  spec: z.object({ hostname: z.string() }),
};

/** The addresses that a node holds now, the VIP among them; the id is LINK/ADDRESS/PREFIX. */
export const addressStatuses: Kind<{ address: string; linkName: string }> = {
  namespace: "network",
  type: "AddressStatuses.net.talos.dev",
  spec: z.object({ address: z.string(), linkName: z.string() }),
};

/** Whether the node's own way to the API, on its loopback, has found an API server that answers. */
export const kubePrismStatuses: Kind<{ host: string; healthy: boolean }> = {
  namespace: "k8s",
  type: "KubePrismStatuses.kubernetes.talos.dev",
  spec: z.object({ host: z.string(), healthy: z.boolean() }),
};

/** What Talos warns of; the id is the warning's name. */
export const diagnostics: Kind<{ message: string }> = {
  namespace: "runtime",
  type: "Diagnostics.runtime.talos.dev",
  spec: z.object({ message: z.string() }),
};

/** What the kubelet says of the pods that need no API server; the id is NAMESPACE/NAME. */
export const staticPodStatuses: Kind<{ conditions: { type: string; status: string }[] }> = {
  namespace: "k8s",
  type: "StaticPodStatuses.kubernetes.talos.dev",
  spec: z.object({
    conditions: z
      .array(z.object({ type: z.string(), status: z.string() }))
      .nullish()
      .transform((conditions) => conditions ?? []),
  }),
};

/** One a node, id `node`. */
export const timeStatuses: Kind<{ synced: boolean; syncDisabled: boolean }> = {
  namespace: "v1alpha1",
  type: "TimeStatuses.v1alpha1.talos.dev",
  spec: z.object({ synced: z.boolean(), syncDisabled: z.boolean() }),
};

/** A node's volumes, by their labels; bytes, 0 or none where it is a folder of another volume. */
export const volumeStatuses: Kind<{ size?: number | undefined }> = {
  namespace: "runtime",
  type: "VolumeStatuses.block.talos.dev",
  spec: z.object({ size: z.number().optional() }),
};
