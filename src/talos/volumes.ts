import type { Castle, DiskEncryption, MachinePatch } from "../spec/castle.ts";
import type { Secret } from "../support/secret.ts";
import type { Ground } from "./ground.ts";

/**
 * Talos' documents for encrypted volumes; none in a lab, whose disks are folders.
 * @param diskKey the static key, where there is one
 */
export function volumes(
  { disks }: Pick<Castle, "disks">,
  ground: Ground,
  diskKey: Secret | undefined,
): readonly MachinePatch[] {
  const encryption = disks?.encryption;
  if (encryption === undefined || ground.mode === "container") return [];
  return ["EPHEMERAL", ...(encryption.state ? ["STATE"] : [])].map((name) => ({
    apiVersion: "v1alpha1",
    kind: "VolumeConfig",
    name,
    encryption: { provider: "luks2", keys: [{ slot: 0, ...key(encryption, diskKey) }] },
  }));
}

/** Whether these nodes' disks are opened by a key that the secret store keeps. */
export function needsDiskKey({ disks }: Pick<Castle, "disks">, { mode }: Ground): boolean {
  return mode === "metal" && disks?.encryption?.key === "static";
}

function key({ key }: DiskEncryption, diskKey: Secret | undefined): MachinePatch {
  if (typeof key === "object") return { kms: { endpoint: key.kms } };
  switch (key) {
    case "static":
      if (diskKey === undefined)
        throw new Error("disks are to be encrypted with a static key, and there is none");
      return { static: { passphrase: diskKey.reveal() } };
    case "nodeID":
      return { nodeID: {} };
    case "tpm":
      return { tpm: {} };
    default:
      return key satisfies never;
  }
}
