import type { Fleet } from "./inventory/fleet.ts";
import type { StateFile } from "./inventory/state-file.ts";
import type { Power } from "./power.ts";
import type { HypervisorSettings } from "./settings.ts";
import type { TaskList } from "./tasks/task-list.ts";

/** All that the routes answer from. */
export interface Datacenter {
  readonly settings: HypervisorSettings;
  readonly file: StateFile;
  readonly tasks: TaskList;
  readonly fleet: Fleet;
  readonly power: Power;
  /** SHA-256 of the server's certificate. */
  readonly fingerprint: string;
  /** Lies on the file system that the machines' disks are on. */
  readonly stateFolder: string;
}
