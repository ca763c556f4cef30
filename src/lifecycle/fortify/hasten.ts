import { pollWithin } from "../../support/poll.ts";
import { requestComponent } from "./flux-state.ts";
import type { FluxView } from "./synchronised.ts";

/** Milliseconds. */
const EVERY = 100;

/**
 * A component that waits for another is looked at again by Flux some seconds after that one is ready; this asks for it
 * at once, until the signal ends it. A help, no condition: what goes wrong here, the wait for the components tells.
 */
export async function hastenComponents(view: FluxView, signal: AbortSignal): Promise<void> {
  const asked = new Map<string, number>();
  await pollWithin<true>(
    async () => {
      const { components } = await view.latest();
      const ready = [...components.values()].filter(({ current }) => current).length;
      const waiting = [...components].filter(
        ([name, { verdict }]) => verdict.words.startsWith("DependencyNotReady") && asked.get(name) !== ready,
      );
      for (const [name] of waiting) asked.set(name, ready);
      await Promise.all(waiting.map(([name]) => requestComponent(view.api, name, new Date(), signal)));
      return undefined;
    },
    { every: EVERY, within: Infinity, signal },
  ).catch(() => undefined);
}
