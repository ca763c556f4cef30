import { CastleError } from "../errors/castle-error.ts";
import { poll } from "../support/poll.ts";
import type { TalosClient } from "./client.ts";
import { machineState } from "./stage.ts";

export interface WaitSettings {
  /** Milliseconds. */
  readonly within: number;
  readonly signal?: AbortSignal;
}

/**
 * Waits until a node without a configuration asks for one. `client` must have no credentials.
 * @throws CastleError talos/not-in-maintenance at once if the node has a configuration, talos/unreachable after
 * `within`, command/interrupted
 */
export async function waitMaintenance(client: TalosClient, { within, signal }: WaitSettings): Promise<void> {
  let last = "it never answered";
  await poll(
    async () => {
      try {
        const { stage } = await machineState(client, {
          deadline: 2_000,
          ...(signal === undefined ? {} : { signal }),
        });
        last = `its stage is ${stage}`;
        return stage === "maintenance" ? stage : undefined;
      } catch (error) {
        if (!(error instanceof CastleError) || !STILL_BOOTING.has(error.code)) throw error;
        last = error.message;
        return undefined;
      }
    },
    {
      every: 100,
      within,
      signal,
      onTimeout: () =>
        new CastleError("talos/unreachable", {
          message: `${client.name} did not reach maintenance mode within ${within} ms: ${last}`,
          hint: "look at the machine's console: castle lab logs NODE, or the hypervisor's own",
        }),
    },
  );
}

/** The server answers before all of its calls do. */
const STILL_BOOTING: ReadonlySet<string> = new Set([
  "talos/unreachable",
  "talos/not-ready",
  "talos/unsupported",
]);
