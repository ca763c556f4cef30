import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../../errors/castle-error.ts";
import type { Report } from "../../journal/step.ts";
import { poll } from "../../support/poll.ts";
import type { Carrier, Held } from "./carrier.ts";
import { type Claim, HEARTBEAT, heldBy, parseClaim, pulseOf } from "./claim.ts";

export interface OperatorsLock {
  /** Where it lies; a further one stands in where Git does not answer. */
  readonly carriers: readonly Carrier[];
  /** Who takes it; `renewed` is kept up to date from here. */
  readonly claim: Claim;
  readonly report: Report;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** How often a lock that changes hands while it is looked at is looked at again. */
const ATTEMPTS = 4;

/**
 * Runs the work as the only changer of a castle among all operators on all machines. Its signal also fires where the
 * lock is lost, which happens to who was silent for longer than a living holder is.
 * @throws CastleError lifecycle/locked with who holds it, lifecycle/lock-lost
 */
export async function withOperatorsLock<T>(
  lock: OperatorsLock,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { carrier, held } = await acquireSomewhere(lock);
  let own = held;
  const lost = new AbortController();
  const ended = new AbortController();
  const beating = beat(
    { ...lock, carrier },
    { ended: ended.signal, lost },
    () => own,
    (next) => (own = next),
  );
  try {
    return await work(AbortSignal.any([lock.signal, lost.signal]));
  } catch (error) {
    if (lost.signal.aborted && !lock.signal.aborted) throw lockLost({ ...lock, carrier }, error);
    throw error;
  } finally {
    ended.abort();
    await beating;
    // The place may be gone by now, as a lab is that was taken away; a lock that stays is seen to be a dead one's.
    await carrier.release(own).catch(() => undefined);
  }
}

interface Placed extends OperatorsLock {
  readonly carrier: Carrier;
}

/** Git may be down on the very day of a restore, or its credentials not be there before the first `up`. */
async function acquireSomewhere(
  lock: OperatorsLock,
): Promise<{ readonly carrier: Carrier; readonly held: Held }> {
  for (const [index, carrier] of lock.carriers.entries()) {
    try {
      return { carrier, held: await acquire({ ...lock, carrier }) };
    } catch (error) {
      const last = index === lock.carriers.length - 1;
      if (last || !(error instanceof CastleError) || !error.code.startsWith("gitops/")) throw error;
      const message = `The operators' lock cannot lie in Git: ${error.message}. It is taken on the hypervisor instead`;
      lock.report({ type: "warning", message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
    }
  }
  throw new Error("a lock has a place");
}

async function acquire(lock: Placed): Promise<Held> {
  const { carrier, claim, now, report } = lock;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const seen = await carrier.read();
    if (seen !== undefined) {
      const holder = parseClaim(seen.text);
      if (holder !== undefined) {
        await refuseLiving(lock, seen, holder);
        report({
          type: "warning",
          message: `castle ${holder.work} of ${holder.user}@${holder.host} (since ${holder.since}) has died: its lock is taken over`,
        });
      }
    }
    const text = JSON.stringify({ ...claim, renewed: now().toISOString() });
    const version = await carrier.take(text, seen);
    if (version !== undefined) return { text, version };
  }
  throw new CastleError("lifecycle/locked", {
    message: `The lock of castle ${claim.castle} (${carrier.description}) is taken by others again and again`,
    hint: "run the same command again",
  });
}

/** Returns where the holder is dead. One that only the clocks call dead is watched for a heartbeat first. */
async function refuseLiving(lock: Placed, seen: Held, holder: Claim): Promise<void> {
  const { carrier, claim, now, report, signal } = lock;
  const pulse = await pulseOf(holder, claim, now());
  switch (pulse) {
    case "alive":
      throw heldBy(holder, carrier.description);
    case "dead":
      return;
    case "silent": {
      report({
        type: "warning",
        message: `castle ${holder.work} of ${holder.user}@${holder.host} has said nothing since ${holder.renewed}: watched for ${Math.round(WATCH / 1000)} s`,
      });
      const later = await poll(
        async () => {
          const found = await carrier.read();
          return found?.text === seen.text ? undefined : { found };
        },
        { every: 2_000, within: WATCH, signal, onTimeout: () => new SaidNothing() },
      ).catch((error: unknown) => {
        if (error instanceof SaidNothing) return undefined;
        throw error;
      });
      if (later?.found !== undefined) throw heldBy(holder, carrier.description);
      return;
    }
    default:
      return pulse satisfies never;
  }
}

/** Milliseconds: a living holder speaks within one heartbeat and what its call takes. */
const WATCH = HEARTBEAT + 10_000;

class SaidNothing extends Error {}

interface Beating {
  readonly ended: AbortSignal;
  readonly lost: AbortController;
}

/** Says again and again that the holder lives. A place that does not answer is asked again: only a stranger's claim is a loss. */
async function beat(
  { carrier, claim, now, report }: Placed,
  { ended, lost }: Beating,
  own: () => Held,
  owned: (held: Held) => void,
): Promise<void> {
  let silent = false;
  for (;;) {
    try {
      await delay(HEARTBEAT, undefined, { signal: ended });
    } catch {
      return;
    }
    const text = JSON.stringify({ ...claim, renewed: now().toISOString() });
    try {
      const version = await carrier.renew(text, own());
      const current = version === undefined ? await carrier.read() : { text, version };
      // A renewal whose answer was lost has moved the claim all the same: it is still this one's.
      if (current === undefined || parseClaim(current.text)?.mark !== claim.mark) {
        lost.abort(new CastleError("command/interrupted", { message: "the operators' lock was lost" }));
        return;
      }
      owned(current);
      silent = false;
    } catch (error) {
      if (!silent) {
        const message = error instanceof Error ? error.message : String(error);
        report({
          type: "warning",
          message: `The operators' lock (${carrier.description}) cannot be renewed: ${message}`,
        });
      }
      silent = true;
    }
  }
}

function lockLost({ carrier, claim }: Placed, cause: unknown): CastleError {
  return new CastleError("lifecycle/lock-lost", {
    message: `The lock of castle ${claim.castle} (${carrier.description}) was taken over by another operator: castle ${claim.work} stopped where it was`,
    hint: "wait for the other to end, then run the same command again: it goes on",
    cause,
  });
}
