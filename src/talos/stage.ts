import type { CallSettings, TalosClient } from "./client.ts";
import { type MachineStage, machineStatuses } from "./kinds.ts";
import { getResource } from "./resources.ts";

export interface MachineState {
  readonly stage: MachineStage;
  /** Whether the machine has nothing left to wait for in its stage. */
  readonly ready: boolean;
  /** What it still waits for, for example services that are not healthy. */
  readonly unmet: readonly { readonly name: string; readonly reason: string }[];
}

/** Where the machine is in its life; answered in maintenance mode as well. @throws CastleError talos/… */
export async function machineState(client: TalosClient, settings: CallSettings = {}): Promise<MachineState> {
  const found = await getResource(client, machineStatuses, "machine", settings);
  if (found === undefined) return { stage: "unknown", ready: false, unmet: [] };
  const { stage, status } = found.spec;
  return { stage, ready: status.ready, unmet: status.unmetConditions };
}
