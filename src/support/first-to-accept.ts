import type { Socket } from "node:net";

export interface Patience {
  /** Milliseconds after which the next target is tried beside the one that has not answered yet. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/**
 * Tries targets in their order and returns the first connection. A refusal moves on at once, silence after `patience`;
 * whoever comes second is closed.
 * @throws the last target's error if nobody accepts
 */
export function firstToAccept<T>(
  targets: readonly T[],
  connect: (target: T, signal: AbortSignal) => Promise<Socket>,
  { patience, signal }: Patience,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const losers = new AbortController();
    let next = 0;
    let pending = 0;
    let settled = false;
    let timer: NodeJS.Timeout | undefined;
    const settle = () => {
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (error: unknown) => {
      settle();
      losers.abort();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onAbort = () => fail(signal.reason);
    const tryNext = () => {
      clearTimeout(timer);
      const target = targets[next];
      if (settled || target === undefined) return;
      next += 1;
      pending += 1;
      if (next < targets.length) timer = setTimeout(tryNext, patience);
      void attempt(target);
    };
    const attempt = async (target: T) => {
      try {
        const socket = await connect(target, losers.signal);
        if (settled) {
          socket.destroy();
          return;
        }
        settle();
        losers.abort();
        resolve(socket);
      } catch (error) {
        pending -= 1;
        if (settled) return;
        if (next < targets.length) tryNext();
        else if (pending === 0) fail(error);
      }
    };
    if (signal.aborted) onAbort();
    else if (targets.length === 0) fail(new Error("the forward has no target"));
    else {
      signal.addEventListener("abort", onAbort, { once: true });
      tryNext();
    }
  });
}
