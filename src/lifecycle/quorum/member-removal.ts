import { CastleError } from "../../errors/castle-error.ts";
import type { Judged } from "../../quorum/plan.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import { poll } from "../../support/poll.ts";
import { etcdRemoveMember } from "../../talos/etcd.ts";
import { type BallotRun, membersFromAny } from "./ballot.ts";
import { passQuorum } from "./passage.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import { isFailure } from "../../errors/failure.ts";

/** Milliseconds that etcd has to take a member out and to tell that it is gone. */
const GONE = 30_000;
/** Milliseconds for one node's answer; a member that comes back to its quorum refuses for some seconds. */
const ANSWER = 10_000;

/**
 * Takes a member out of etcd by its id, where the planner lets it, through any control plane that answers, and looks
 * whether it is gone. One that is no member any more is as good.
 * @throws CastleError lifecycle/quorum before anything is touched, lifecycle/timed-out
 */
export async function removeMember(
  run: BallotRun,
  clients: NodeClients,
  member: string,
): Promise<Judged | undefined> {
  const judged = await passQuorum(run, clients, {
    what: `Taking the member ${member} out of etcd`,
    step: ({ members }) => (members.some(({ id }) => id === member) ? { kind: "remove", member } : undefined),
  });
  await memberGone(run, clients, { member, through: controlPlanes(run.castle) });
  return judged;
}

export interface Removal {
  readonly member: string;
  /** Who is asked to take it out, one after the other. */
  readonly through: readonly CastleNode[];
}

/**
 * Waits until etcd tells that a member is gone, and has it taken out while it is not. Whoever asks has passed the quorum.
 * @throws CastleError lifecycle/timed-out
 */
export async function memberGone(
  run: BallotRun,
  clients: NodeClients,
  { member, through }: Removal,
): Promise<void> {
  let last = "no control plane answered";
  await poll(
    async () => {
      const members = await membersFromAny(run, clients);
      if (members === undefined) return undefined;
      if (members.every(({ id }) => id !== member)) return true;
      last = (await ask(run, clients, { member, through })) ?? last;
      return undefined;
    },
    {
      every: 250,
      within: GONE,
      signal: run.signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `etcd still has the member ${member} after ${GONE / 1000} s: ${last}`,
          hint: "castle ghosts; then the same command again",
        }),
    },
  );
}

/** @returns why nobody did it; undefined: somebody did */
async function ask(
  { signal }: BallotRun,
  clients: NodeClients,
  { member, through }: Removal,
): Promise<string | undefined> {
  const refusals: string[] = [];
  for (const node of through) {
    try {
      await etcdRemoveMember(await clients.trusted(node), member, { signal, deadline: ANSWER });
      return undefined;
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.code === "talos/not-found") return undefined;
      refusals.push(error.message);
    }
  }
  return refusals.join("; ");
}
