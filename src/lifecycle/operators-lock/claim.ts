import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import { isAlive, processIdentityShape } from "../../support/process-identity.ts";
import { parsedJson } from "../../support/json.ts";

const claimShape = z.object({
  castle: z.string(),
  /** What the holder is at: "up". */
  work: z.string(),
  user: z.string(),
  host: z.string(),
  process: processIdentityShape,
  /** ISO 8601, by the holder's clock: since when it is held, and when it was last said that it still is. */
  since: z.iso.datetime(),
  renewed: z.iso.datetime(),
  /** Tells two claims of one process apart. */
  mark: z.string(),
});

/** What an operator's castle writes where all operators see it, while it changes a castle. */
export type Claim = Readonly<z.infer<typeof claimShape>>;

/** Undefined: torn or not castle's, so nobody's. */
export function parseClaim(text: string): Claim | undefined {
  return claimShape.safeParse(parsedJson(text)).data;
}

/** Milliseconds between two renewals unless told. */
export const HEARTBEAT = 15_000;
/** After how many heartbeats a holder that says nothing is silent. */
const SILENCE = 4;

export type Pulse =
  | "alive"
  /** Surely: its process was on this very boot of this very machine, and is gone. */
  | "dead"
  /** By the clocks, which may be apart: one more heartbeat has to be waited for. */
  | "silent";

/** Who asks, and when: tells whether the holder is on this very machine. */
export interface Asking {
  readonly own: Claim;
  readonly now: Date;
  /** Milliseconds. */
  readonly heartbeat: number;
}

export async function pulseOf(
  { host, process, renewed }: Claim,
  { own, now, heartbeat }: Asking,
): Promise<Pulse> {
  const here = host === own.host && process.boot === own.process.boot && process.boot !== "";
  if (here) return (await isAlive(process)) ? "alive" : "dead";
  return now.getTime() - Date.parse(renewed) > SILENCE * heartbeat ? "silent" : "alive";
}

/** The refusal of who comes second. */
export function heldBy({ castle, work, user, host, process, since }: Claim, where: string): CastleError {
  return new CastleError("lifecycle/locked", {
    message: `castle ${work} is at work on castle ${castle}: ${user}@${host}, process ${process.pid}, since ${since} (${where})`,
    hint: "wait for it and run the same command again; a holder that has died is recognised within a minute and a half",
    details: { castle, verb: work, user, host, pid: process.pid, since, where },
  });
}
