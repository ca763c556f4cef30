import { access } from "node:fs/promises";

const BY_HAND = "/tmp/hand/bin/terraform-provider-proxmox_v0.111.1";

/** Path of the built provider: CASTLE_PROVIDER_BINARY, or `fallback` where it exists; undefined where there is none. */
export async function providerBinary(fallback = BY_HAND): Promise<string | undefined> {
  const told = process.env["CASTLE_PROVIDER_BINARY"];
  if (told !== undefined) return told;
  return access(fallback).then(
    () => fallback,
    () => undefined,
  );
}
