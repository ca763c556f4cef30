import { classify } from "../../ghosts/classify.ts";
import type { JudgedGhost } from "../../ghosts/ghost.ts";
import { type Quorum, quorumOf } from "../../ghosts/quorum.ts";
import type { Testimony } from "../../ghosts/testimony.ts";
import { poll } from "../../support/poll.ts";
import { type Witnesses, collectTestimony } from "./testimony.ts";

/** What one look at a castle found. */
export interface GhostLook {
  readonly testimony: Testimony;
  readonly ghosts: readonly JudgedGhost[];
  readonly quorum: Quorum;
  /** From the first question to the verdict. */
  readonly milliseconds: number;
}

/** Milliseconds that an election may take: until then a castle without a leader is looked at again. */
const ELECTION = 1_000;

/** Everybody is asked, and what they say is judged. Changes nothing. */
export async function lookForGhosts(witnesses: Witnesses): Promise<GhostLook> {
  const start = performance.now();
  const testimony = await poll(
    async () => {
      const told = await collectTestimony(witnesses);
      const late = performance.now() - start > ELECTION;
      return quorumOf(told).state !== "lost" || late ? told : undefined;
    },
    {
      every: 200,
      within: Infinity,
      signal: witnesses.signal,
      onTimeout: () => new Error("it ends by itself"),
    },
  );
  return {
    testimony,
    ghosts: classify(testimony),
    quorum: quorumOf(testimony),
    milliseconds: Math.round(performance.now() - start),
  };
}
