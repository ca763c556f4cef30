import { createHash } from "node:crypto";

/**
 * The Image Factory's name for a Talos image with these official extensions: the SHA-256 of the schematic's YAML. The
 * factory knows a schematic once it has been uploaded (POST /schematics), so ask for the id before pulling.
 */
export function schematicId(extensions: readonly string[]): string {
  return createHash("sha256").update(schematic(extensions)).digest("hex");
}

/** The schematic itself, byte for byte as the factory writes it before hashing. */
export function schematic(extensions: readonly string[]): string {
  if (extensions.length === 0) return "customization: {}\n";
  const names = extensions.map((extension) => `            - ${extension}\n`).join("");
  return `customization:\n    systemExtensions:\n        officialExtensions:\n${names}`;
}

/** The factory's installer for machines on Proxmox. `version` has its leading v. */
export function installerImage(extensions: readonly string[], version: string): string {
  return `factory.talos.dev/nocloud-installer/${schematicId(extensions)}:${version}`;
}
