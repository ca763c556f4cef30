import type { VolumeRecord } from "../inventory/record.ts";
import type { HypervisorSettings } from "../settings.ts";

/** A machine's configuration and the volumes of its host, before or after a change. */
export interface Configuration {
  readonly options: Readonly<Record<string, string>>;
  readonly volumes: readonly VolumeRecord[];
}

/** The machine that a change is for, and what the hypervisor has. */
export interface ChangeTarget {
  readonly vmid: number;
  readonly host: string;
  readonly settings: HypervisorSettings;
}
