import { CastleError } from "../../errors/castle-error.ts";
import { type Judged, judge } from "../../quorum/plan.ts";
import { standingText } from "../../quorum/standing.ts";
import type { Step } from "../../quorum/step.ts";
import { poll } from "../../support/poll.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import { type Ballot, type BallotRun, ballotOf } from "./ballot.ts";

/** Milliseconds that a member which is late, or a learner that is not promoted yet, may hold a step up. */
const PATIENCE = 30_000;

export interface Passing {
  /** What is about to be done, for people: "fortress-cp-2 leaves etcd". */
  readonly what: string;
  /** The step, from who votes now; undefined: nothing of etcd's is touched any more. */
  readonly step: (ballot: Ballot) => Step | undefined;
  /** Milliseconds; 30 000 unless told. */
  readonly patience?: number;
}

/**
 * The one gate before whatever touches a control plane: looks at who votes now, and lets only through what the planner
 * calls safe, or an outage that nothing is lost by. What is refused is asked again for a while: a restart just before
 * may not be over.
 * @returns undefined where there was nothing to be judged
 * @throws CastleError lifecycle/quorum with the arithmetic
 */
export async function passQuorum(
  run: BallotRun,
  clients: NodeClients,
  { what, step, patience = PATIENCE }: Passing,
): Promise<Judged | undefined> {
  let last: Judged | undefined;
  return poll<{ judged: Judged | undefined }>(
    async () => {
      const ballot = await ballotOf(run, clients);
      if (ballot === undefined) return undefined;
      const wanted = step(ballot);
      if (wanted === undefined) return { judged: undefined };
      last = judge(ballot.electorate, wanted);
      return last.verdict === "refused" ? undefined : { judged: last };
    },
    { every: 500, within: patience, signal: run.signal, onTimeout: () => refusal(what, last) },
  ).then(({ judged }) => judged);
}

function refusal(what: string, judged: Judged | undefined): CastleError {
  if (judged === undefined) {
    return new CastleError("lifecycle/quorum", {
      message: `${what}: no control plane tells who votes in etcd, so its quorum is lost or nobody answers`,
      hint: "castle status shows which machines are on; power them on, or: castle rebuild",
    });
  }
  return new CastleError("lifecycle/quorum", {
    message: `${what} is refused, ${judged.reason} (now ${standingText(judged.before)})`,
    hint: "bring the control planes that do not answer back first: castle status",
    details: { step: judged.step, before: judged.before, during: judged.during, after: judged.after },
  });
}
