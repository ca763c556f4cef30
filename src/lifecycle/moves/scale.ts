import { runStep } from "../../journal/step.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import type { CastleRun } from "../castle-run.ts";
import { type Raised, up } from "../up.ts";
import { withAccess } from "./cluster-access.ts";
import { depart } from "./departure.ts";
import { begun, evicted } from "./ledger.ts";
import { changeLedger } from "./ledger-file.ts";
import { type SpecMove, runFor, writeSpec } from "./spec-write.ts";
import { refuseUnfinished } from "./tenancy.ts";

/** The nodes that an edited spec has no more, the last first. */
export function leavingNodes(
  { castle }: Pick<CastleRun, "castle">,
  { castle: edited }: SpecMove,
): readonly CastleNode[] {
  const stay = new Set(edited.nodes.map(({ name }) => name));
  return castle.nodes.filter(({ name }) => !stay.has(name)).toReversed();
}

/** The nodes that an edited spec has besides. */
export function comingNodes(
  { castle }: Pick<CastleRun, "castle">,
  { castle: edited }: SpecMove,
): readonly CastleNode[] {
  const known = new Set(castle.nodes.map(({ name }) => name));
  return edited.nodes.filter(({ name }) => !known.has(name));
}

/**
 * Brings the castle to another number of nodes. On the way down each node departs, one after the other, while castle.yaml
 * still names it: killed there, the same command finds it and goes on. Then the file is edited, and `up` does the rest:
 * new control planes join one learner after the other.
 * @throws CastleError lifecycle/quorum, lifecycle/unfinished, lifecycle/quarantined
 */
export async function scale(run: CastleRun, move: SpecMove): Promise<Raised> {
  const { home, report, now } = run;
  const counts = {
    controlPlanes: controlPlanes(move.castle).length,
    workers: move.castle.nodes.length - controlPlanes(move.castle).length,
  };
  await refuseUnfinished(
    run,
    (other) =>
      other.verb === "scale" &&
      other.controlPlanes === counts.controlPlanes &&
      other.workers === counts.workers,
  );
  const leaving = leavingNodes(run, move);
  if (leaving.length > 0) {
    const names = leaving.map(({ name }) => name);
    await changeLedger(home, (ledger) => begun(ledger, { verb: "scale", ...counts, leaving: names }));
    await withAccess(run, async (access) => {
      for (const node of leaving) await depart(run, access, node);
    });
    await changeLedger(home, (ledger) => evicted(ledger, leaving, now().toISOString()));
  }
  await runStep(report, { id: "spec", title: "castle.yaml" }, async () => {
    await writeSpec(run, move);
    return { detail: move.before === move.text ? "says it already" : "edited" };
  });
  const raised = await up(runFor(run, move), { goesOn: "scale" });
  await changeLedger(home, (ledger) => begun(ledger, undefined));
  return raised;
}
