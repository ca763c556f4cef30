import { CastleError } from "../../errors/castle-error.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import { type Standing, standing } from "../../talos/standing.ts";
import type { Resetting } from "./wipe.ts";

/** Milliseconds between two looks. */
const EVERY = 200;

/**
 * Waits until a node that was wiped is back without a configuration: it asks for one, and knows nobody. Where the
 * hypervisor leaves it off after its Reset, as the lab's has to, it is powered on.
 * @throws CastleError lifecycle/timed-out
 */
export async function proveEmpty(resetting: Resetting, node: CastleNode): Promise<void> {
  const { patience, signal } = resetting.run;
  let last = "it was never asked";
  await poll(
    async () => {
      const found = await heard(resetting, node);
      if (found === "stopped") {
        await resetting.power.on(node);
        return undefined;
      }
      if (found.kind === "new") return true;
      last = found.kind === "silent" ? found.reason : "it still has its configuration";
      return undefined;
    },
    {
      every: EVERY,
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

/** What a node says, unless it goes off meanwhile: a machine that is off lets the call wait for its deadline. */
async function heard({ run, clients, power }: Resetting, node: CastleNode): Promise<Standing | "stopped"> {
  const endpoint = await clients.endpoint(node);
  const settled = new AbortController();
  const signal = AbortSignal.any([run.signal, settled.signal]);
  const off = async () => ((await power.state(node)) === "stopped" ? ("stopped" as const) : undefined);
  try {
    return await Promise.race([
      standing({ endpoint, name: node.name, credentials: clients.credentials, signal }),
      poll(off, { every: EVERY, within: Infinity, signal, onTimeout: () => new Error("it never ends") }),
    ]);
  } finally {
    settled.abort();
  }
}
