import type { Secret } from "../../support/secret.ts";

/** What the hypervisor is told about itself. Nothing of it is hard-wired: another lab has other names. */
export interface HypervisorSettings {
  /** Names of the Proxmox nodes that this one server shows, for example pve1, pve2, pve3. */
  readonly hosts: readonly string[];
  readonly token: ApiToken;
  /** Every host has each of these storages, with contents of its own. */
  readonly storages: readonly StorageSettings[];
  /** Bridges that a network card may name. */
  readonly bridges: readonly string[];
  /** Talos versions, with the leading v, that the lab can boot. */
  readonly talosVersions: readonly string[];
  /** What the token may do; every privilege that the API knows unless told. */
  readonly privileges?: readonly string[];
}

export interface ApiToken {
  /** user@realm!name */
  readonly id: string;
  readonly secret: Secret;
}

export interface StorageSettings {
  readonly name: string;
  readonly type: "dir" | "lvmthin";
  readonly content: readonly StorageContent[];
}

export type StorageContent = "images" | "import" | "iso";
