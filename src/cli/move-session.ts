import type { Report } from "../journal/step.ts";
import type { CastleRun } from "../lifecycle/castle-run.ts";
import { type MovePlan, assertAllowed } from "../lifecycle/moves/move-plan.ts";
import type { SpecSource } from "../lifecycle/moves/spec-moves.ts";
import type { Raised } from "../lifecycle/up.ts";
import { standingText } from "../quorum/standing.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { elapsed } from "./progress/elapsed.ts";
import { lookAtCastle } from "./session.ts";
import { standingGround } from "./standing-ground.ts";
import { type SpecFile, readSpecFile } from "./spec-file.ts";
import { type UpFlags, raiseSpec } from "./up-command.ts";

export interface MoveFlags extends UpFlags {
  readonly dryRun: boolean;
}

/** One operation that changes which nodes a castle has, or where. */
export interface Move<Target> {
  readonly verb: "replace" | "scale" | "shift" | "reset" | "rebuild";
  /** What is to be done, found out without changing anything. */
  readonly aim: (run: CastleRun, source: SpecSource) => Promise<Target>;
  readonly plan: (run: CastleRun, target: Target) => Promise<MovePlan>;
  /** Asked before anything is touched. */
  readonly consent: (plan: MovePlan, castle: SpecFile["castle"]) => Promise<void>;
  readonly work: (run: CastleRun, target: Target) => Promise<Raised>;
}

/** Plans an operation, tells the plan or asks for leave, and does it. */
export async function makeMove<Target>(
  context: Context,
  report: Report,
  flags: MoveFlags,
  move: Move<Target>,
): Promise<AnswerOf<"CastleMove">> {
  const { verb } = move;
  const spec = await readSpecFile(context, flags.file);
  const source = { path: spec.path, text: spec.text, file: flags.file };
  const { target, plan } = await lookAtStanding(context, spec, report, async (run) => {
    const target = await move.aim(run, source);
    return { target, plan: await move.plan(run, target) };
  });
  if (flags.dryRun) return moveAnswer(spec, verb, plan);
  assertAllowed(plan);
  await move.consent(plan, spec.castle);
  const begin = performance.now();
  const { raised, kept } = await raiseSpec(context, report, {
    ...flags,
    spec,
    verb,
    work: (run) => move.work(run, target),
  });
  const { kind, data, text } = moveAnswer(spec, verb, plan, {
    ready: raised.ready,
    all: Math.round(performance.now() - begin),
  });
  return { kind, data: { ...data, warnings: kept.warnings }, text: [text, ...kept.lines()].join("\n") };
}

/** Tells what an operation would do, and does nothing of it. */
export async function tellPlan(
  context: Context,
  report: Report,
  file: string,
  { verb, plan }: Pick<Move<unknown>, "verb"> & { readonly plan: (run: CastleRun) => Promise<MovePlan> },
): Promise<AnswerOf<"CastleMove">> {
  const spec = await readSpecFile(context, file);
  return moveAnswer(spec, verb, await lookAtStanding(context, spec, report, plan));
}

/** A castle whose lab is not up is told as that, before anything is asked. */
async function lookAtStanding<T>(
  context: Context,
  spec: SpecFile,
  report: Report,
  work: (run: CastleRun) => Promise<T>,
): Promise<T> {
  await standingGround(context, spec.castle);
  return lookAtCastle(context, { spec, report }, async (run) => {
    if (run === undefined) throw new Error("its ground stood a moment ago");
    return work(run);
  });
}

function moveAnswer(
  { castle }: SpecFile,
  verb: Move<unknown>["verb"],
  plan: MovePlan,
  milliseconds?: { readonly ready: number; readonly all: number },
): AnswerOf<"CastleMove"> {
  const { edit, machines, votes, lost, occupied, notes, allowed } = plan;
  const done = milliseconds !== undefined;
  const nothing = edit.length === 0 && machines.every(({ change }) => change === "empty already");
  return {
    kind: "CastleMove",
    data: {
      castle: castle.name,
      verb,
      done,
      allowed,
      edit,
      machines,
      quorum: votes.map(({ what, judged: { before, during, after, verdict, reason } }) => ({
        what,
        before,
        during,
        after,
        verdict,
        reason,
      })),
      lost,
      occupied,
      notes,
      ...(milliseconds === undefined ? {} : { milliseconds }),
      warnings: [],
    },
    text: done
      ? `Castle ${castle.name}: ${verb} done after ${elapsed(milliseconds.all)}, all nodes Ready.\nNext: castle status`
      : [
          nothing ? `castle ${verb} would change nothing` : `castle ${verb} would, on castle ${castle.name}:`,
          ...planLines(plan),
        ].join("\n"),
    exit: done || (nothing && allowed) ? 0 : 3,
  };
}

/** What stands in a plan, for people. */
export function planLines({ edit, machines, votes, lost, occupied, notes }: MovePlan): readonly string[] {
  return [
    ...lost.map((volume) => `  ! lose the data of the persistent volume ${volume}`),
    ...machines.map(({ name, address, change, from }) =>
      from === undefined
        ? `  ${name} (${address}) ${change}`
        : `  ${name} ${change} from ${from} to ${address}`,
    ),
    ...votes.flatMap(({ what, judged: { before, after, verdict, reason } }) => [
      `  ${what}: ${verdict}`,
      `      before ${standingText(before)}; after ${standingText(after)}`,
      ...(verdict === "safe" ? [] : [`      ${reason}`]),
    ]),
    ...occupied.map(
      ({ who, address, occupant }) => `  ✗ ${address}, meant for ${who}, is taken by ${occupant}`,
    ),
    ...(edit.length === 0 ? [] : ["  castle.yaml:", ...edit.map((line) => `    ${line}`)]),
    ...notes.map((note) => `  · ${note}`),
  ];
}
