import type { StorageContent } from "../settings.ts";

/** A machine as the hypervisor keeps it. What the API shows of it is derived, never stored twice. */
export interface VmRecord {
  readonly vmid: number;
  readonly host: string;
  /** Configuration keys and values exactly as GET config echoes them. */
  options: Readonly<Record<string, string>>;
  template: boolean;
  /** The power state that was asked for: true brings the machine back after a restart of the host. */
  onWanted: boolean;
  /** A reset has ended and the disks are still to be emptied: done before the next start, whatever happens. */
  wipeWanted: boolean;
  /** Its disks may hold data, so a clone would have to copy them, which the lab cannot. */
  everStarted: boolean;
  /** Half-made or half-removed: finished or undone after a kill. */
  lock?: "create" | "clone" | "destroy";
}

/** A machine that has nothing yet and was never on. */
export function newRecord(vmid: number, host: string): VmRecord {
  return {
    vmid,
    host,
    options: {},
    template: false,
    onWanted: false,
    wipeWanted: false,
    everStarted: false,
  };
}

export interface VolumeRecord {
  readonly host: string;
  /** storage:name */
  readonly volid: string;
  readonly content: StorageContent;
  readonly format: "raw" | "qcow2" | "iso";
  /** Bytes */
  size: number;
  /** Talos version of an image, and of a disk that was imported from one. */
  readonly talos?: string;
  /** The machine that the volume belongs to. */
  readonly vmid?: number;
  /** Seconds since 1970. */
  readonly created: number;
}

export interface TaskRecord {
  readonly upid: string;
  /** Seconds since 1970; undefined while it runs. */
  endTime?: number;
  /** OK, or what went wrong, in one line. */
  exitStatus?: string;
  readonly log: string[];
}

export interface HypervisorState {
  readonly vms: Map<number, VmRecord>;
  volumes: readonly VolumeRecord[];
  tasks: readonly TaskRecord[];
  /** Comments of pools by their ids. */
  readonly pools: Map<string, string>;
}
