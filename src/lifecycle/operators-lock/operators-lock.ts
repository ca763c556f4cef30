import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../../errors/castle-error.ts";
import type { Report } from "../../journal/step.ts";
import { pollWithin } from "../../support/poll.ts";
import type { Carrier, Held } from "./carrier.ts";
import { type Claim, HEARTBEAT, heldBy, parseClaim, pulseOf } from "./claim.ts";

export interface OperatorsLock {
  /** Where it lies; a further one stands in where Git does not answer. */
  readonly carriers: readonly Carrier[];
  /** Who takes it; `renewed` is kept up to date from here. */
  readonly claim: Claim;
  /** Milliseconds between two signs of life, for all who share the lock; 15 000 unless told. */
  readonly heartbeat?: number;
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
  const taken = await acquireSomewhere(lock);
  if (taken === undefined) return work(lock.signal);
  const { carrier, held } = taken;
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
    const signal = AbortSignal.any([lock.signal, lost.signal]);
    // Every wait of every node listens to it; that is many, and no leak.
    setMaxListeners(0, signal);
    return await work(signal);
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

/**
 * Git may be down on the very day of a restore, or its credentials not be there before the first `up`; and a token may
 * lack the right. Neither keeps the castle from being changed: undefined, with a warning, where no place takes the lock.
 */
async function acquireSomewhere(
  lock: OperatorsLock,
): Promise<{ readonly carrier: Carrier; readonly held: Held } | undefined> {
  for (const [index, carrier] of lock.carriers.entries()) {
    try {
      return { carrier, held: await acquire({ ...lock, carrier }) };
    } catch (error) {
      if (!(error instanceof CastleError) || !takesNoLock(error)) throw error;
      const last = index === lock.carriers.length - 1;
      const then = last
        ? "Operators on other machines are not kept out"
        : "It is taken on the hypervisor instead";
      const message = `The operators' lock cannot lie in ${carrier.description}: ${error.message}. ${then}`;
      lock.report({ type: "warning", message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
    }
  }
  return undefined;
}

function takesNoLock({ code }: CastleError): boolean {
  return code.startsWith("gitops/") || code === "infra/permission-denied";
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
  const { carrier, claim, heartbeat = HEARTBEAT, now, report, signal } = lock;
  const pulse = await pulseOf(holder, { own: claim, now: now(), heartbeat });
  const watch = WATCH * heartbeat;
  switch (pulse) {
    case "alive":
      throw heldBy(holder, carrier.description);
    case "dead":
      return;
    case "silent": {
      report({
        type: "warning",
        message: `castle ${holder.work} of ${holder.user}@${holder.host} has said nothing since ${holder.renewed}: watched for ${Math.ceil(watch / 1000)} s`,
      });
      const later = await pollWithin(
        async () => {
          const found = await carrier.read();
          return found?.text === seen.text ? undefined : { found };
        },
        { every: heartbeat / 8, within: watch, signal },
      );
      if (later?.found !== undefined) throw heldBy(holder, carrier.description);
      return;
    }
    default:
      return pulse satisfies never;
  }
}

/** Heartbeats: a living holder speaks within one and what its call takes. */
const WATCH = 5 / 3;

interface Beating {
  readonly ended: AbortSignal;
  readonly lost: AbortController;
}

/** Says again and again that the holder lives. A place that does not answer is asked again: only a stranger's claim is a loss. */
async function beat(
  { carrier, claim, heartbeat = HEARTBEAT, now, report }: Placed,
  { ended, lost }: Beating,
  own: () => Held,
  owned: (held: Held) => void,
): Promise<void> {
  let silent = false;
  for (;;) {
    try {
      await delay(heartbeat, undefined, { signal: ended });
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
