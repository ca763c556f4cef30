import { CastleError } from "../../errors/castle-error.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import { standing } from "../../talos/standing.ts";
import type { Resetting } from "./wipe.ts";

/**
 * Waits until a node that was wiped is back without a configuration: it asks for one, and knows nobody. Where the
 * hypervisor leaves it off after its Reset, as the lab's has to, it is powered on.
 * @throws CastleError lifecycle/timed-out
 */
export async function proveEmpty({ run, clients, power }: Resetting, node: CastleNode): Promise<void> {
  const { patience, signal } = run;
  const endpoint = await clients.endpoint(node);
  let last = "it was never asked";
  await poll(
    async () => {
      const found = await standing({ endpoint, name: node.name, credentials: clients.credentials, signal });
      if (found.kind === "new") return true;
      last = found.kind === "silent" ? found.reason : "it still has its configuration";
      if (found.kind === "silent" && (await power.state(node)) === "stopped") await power.on(node);
      return undefined;
    },
    {
      every: 200,
      within: patience,
      signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `${node.name} was not empty within ${patience / 1000} s after its reset: ${last}`,
          hint: "castle reset goes on from here; castle down --yes deletes the machine with its disk",
          details: { node: node.name },
        }),
    },
  );
}
