import { join } from "node:path";
import { runFolder } from "./machine/names.ts";

/** Every folder and file of one lab, from its name and the folder that holds all labs' states. */
export interface LabFolders {
  readonly lab: string;
  /** One folder for each lab; survives a restart of the host. */
  readonly states: string;
  readonly state: string;
  /** What the daemon is told, mode 0600: it holds the API token. */
  readonly settings: string;
  /** What the running daemon tells, mode 0600. */
  readonly descriptor: string;
  readonly log: string;
  /** Lost with a restart of the host. */
  readonly run: string;
  readonly lanRun: string;
  /** Shared by all labs of the host. */
  readonly sharedRun: string;
  readonly control: string;
  /** Held by the daemon as long as it lives. */
  readonly daemonLock: string;
  /** Names the folder of states that the lab of this name on this host belongs to. */
  readonly owner: string;
  /** Why the last daemon did not come up, for who started it. */
  readonly failure: string;
}

export function labFolders(states: string, lab: string): LabFolders {
  const state = join(states, lab);
  const run = runFolder(lab);
  return {
    lab,
    states,
    state,
    settings: join(state, "lab.json"),
    descriptor: join(state, "descriptor.json"),
    log: join(state, "logs", "daemon.log"),
    run,
    lanRun: join(run, "lan"),
    sharedRun: join(run, ".."),
    control: join(run, "control.sock"),
    daemonLock: join(run, "daemon.lock"),
    owner: join(run, "owner"),
    failure: join(run, "failure.json"),
  };
}
