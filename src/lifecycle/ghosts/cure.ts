import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../../errors/castle-error.ts";
import type { JudgedGhost } from "../../ghosts/ghost.ts";
import { nextToTreat } from "../../ghosts/turn.ts";
import { unheardControlPlanes, votelessControlPlanes } from "../../ghosts/voteless.ts";
import { waysOut } from "../../ghosts/way-out.ts";
import { standingText } from "../../quorum/standing.ts";
import type { CastleRun } from "../castle-run.ts";
import { withAccess } from "../moves/cluster-access.ts";
import { goOn } from "./earlier-cure.ts";
import { type GhostLook, lookForGhosts } from "./look.ts";
import type { Witnesses } from "./testimony.ts";
import { isTreatable, treat } from "./treatment.ts";

export interface CuredGhost {
  readonly ghost: JudgedGhost;
  readonly milliseconds: number;
}

export interface GhostCure {
  readonly cured: readonly CuredGhost[];
  /** What no cure of castle's ends: the last look's ghosts. */
  readonly left: readonly JudgedGhost[];
  /** Control planes that answer and do not vote, in sentences. */
  readonly waiting: readonly string[];
}

/** Milliseconds between two looks while something joins. */
const EVERY = 500;
/** Milliseconds that a control plane which is on has to be heard: one that hangs must not hold up the others' cure. */
const HEARING = 15_000;
/** How often the same ghost is treated: what comes back a second time has a cause that castle does not know. */
const ATTEMPTS = 2;

/**
 * Cures one ghost after the other, each judged anew by what everybody says then, and waits until every control plane that
 * answers votes. Each cure is found by looking, so a run after a kill goes on where the last one was.
 * @throws CastleError lifecycle/quorum with the arithmetic, where only refused cures are left
 */
export async function cureGhosts(run: CastleRun, witnesses: Witnesses): Promise<GhostCure> {
  return withAccess(run, async (access) => {
    await goOn(run, access);
    const attempts = new Map<string, number>();
    const cured = new Map<string, CuredGhost>();
    const deadline = performance.now() + run.patience;
    let heard = performance.now();
    for (;;) {
      const look = await lookForGhosts(witnesses);
      refuseLost(look);
      const ghosts = look.ghosts.filter(({ state }) => state.kind === "ghost");
      const next = nextToTreat(
        look.ghosts,
        (ghost) => isTreatable(ghost) && (attempts.get(keyOf(ghost)) ?? 0) < ATTEMPTS,
      );
      if (next !== undefined) {
        const key = keyOf(next);
        attempts.set(key, (attempts.get(key) ?? 0) + 1);
        const start = performance.now();
        await treat(run, access, next, look.testimony);
        cured.set(key, { ghost: next, milliseconds: Math.round(performance.now() - start) });
        heard = performance.now();
        continue;
      }
      const unheard = unheardControlPlanes(look.testimony);
      if (unheard.length === 0) heard = performance.now();
      const waiting = [
        ...waitingFor(look),
        ...(performance.now() - heard > Math.min(HEARING, run.patience) ? [] : unheard),
      ];
      if (waiting.length === 0 || performance.now() > deadline) {
        refuseUncurable(ghosts, cured.size);
        for (const ghost of ghosts) cured.delete(keyOf(ghost));
        return { cured: [...cured.values()], left: ghosts, waiting };
      }
      run.report({ type: "progress", id: "voters", message: waiting.join("; ") });
      await delay(EVERY, undefined, { signal: run.signal }).catch(() => undefined);
    }
  });
}

function keyOf({ class: name, subject }: JudgedGhost): string {
  return `${name} ${subject}`;
}

/** What only time ends: joins, and control planes that do not vote yet. */
function waitingFor({ ghosts, testimony, quorum }: GhostLook): readonly string[] {
  const joining = ghosts.flatMap(({ subject, state }) =>
    state.kind === "joining" ? [`${subject} is joining, ${Math.round(state.seconds)} s`] : [],
  );
  const stuck = new Set(ghosts.map(({ subject }) => subject));
  // Who heard nothing of etcd cannot say that nothing is wrong with it.
  const silence = quorum.state === "unknown" ? ["no control plane tells etcd's members"] : [];
  return [...silence, ...joining, ...votelessControlPlanes(testimony, stuck)];
}

function refuseLost({ quorum, testimony }: GhostLook): void {
  if (quorum.state !== "lost" || quorum.standing === undefined) return;
  const ways = waysOut(testimony, quorum);
  throw new CastleError("lifecycle/quorum", {
    message: `etcd has lost its quorum, so no member can be removed or added: ${standingText(quorum.standing)}`,
    hint: ways.map(({ command, loses }) => `${command} (loses ${loses})`).join("; or "),
    details: { standing: quorum.standing, waysOut: ways },
  });
}

function refuseUncurable(ghosts: readonly JudgedGhost[], cured: number): void {
  const refused = ghosts.filter(({ curable }) => !curable);
  if (refused.length === 0) return;
  const reasons = refused.flatMap(({ class: name, subject, quorum }) =>
    quorum.flatMap(({ verdict, reason, before }) =>
      verdict === "safe" ? [] : [`${name} ${subject}: ${reason} (now ${standingText(before)})`],
    ),
  );
  throw new CastleError("lifecycle/quorum", {
    message: `${cured === 0 ? "Nothing was cured" : `${cured} cured; the rest was not`}: ${reasons.join("; ")}`,
    hint: "bring the control planes that do not answer back first: castle status",
    details: { refused: refused.map(({ class: name, subject }) => ({ class: name, subject })) },
  });
}
