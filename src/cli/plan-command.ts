import type { PlanSummary, ResourceChange } from "../infra/plan-summary.ts";
import { type Report, runStep } from "../journal/step.ts";
import { LAB_STAND_INS } from "../lifecycle/ground/stand-ins.ts";
import { type CastlePlan, type NodePlan, differs, planCastle, planFromNothing } from "../lifecycle/plan.ts";
import type { PlatformPlan } from "../lifecycle/platform-plan.ts";
import type { Castle } from "../spec/castle.ts";
import { notes } from "../spec/notes.ts";
import { type SpecWarning, warnings } from "../spec/warnings.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { lookAtCastle } from "./session.ts";
import { readSpecFile } from "./spec-file.ts";

export async function plan(context: Context, report: Report, file: string): Promise<AnswerOf<"CastlePlan">> {
  const spec = await readSpecFile(context, file);
  return lookAtCastle(context, { spec, report, overwrite: false }, async (run) => {
    if (run === undefined) return planAnswer(spec.castle, planFromNothing(spec.castle), true);
    let found: CastlePlan = planFromNothing(spec.castle);
    await runStep(report, { id: "plan", title: "Spec compared with hypervisor and nodes" }, async () => {
      found = await planCastle(run);
      return { detail: differs(found) ? "differs" : "no changes" };
    });
    return planAnswer(spec.castle, found, false);
  });
}

function planAnswer(castle: Castle, found: CastlePlan, labMissing: boolean): AnswerOf<"CastlePlan"> {
  const { machines, nodes, platform } = found;
  const { creates, updates, replaces, destroys, adopts, refusal } = machines;
  const lab = castle.hypervisor.kind === "lab" ? castle.hypervisor.lab : undefined;
  const standIns = lab === undefined ? [] : LAB_STAND_INS;
  const told = warnings(castle);
  const costs = notes(castle);
  const anything = labMissing || differs(found);
  return {
    kind: "CastlePlan",
    data: {
      castle: castle.name,
      differs: anything,
      ground: lab === undefined ? "rack" : "lab",
      labMissing,
      machines: {
        creates: creates.map(shown),
        updates: updates.map(shown),
        replaces: replaces.map(shown),
        destroys: destroys.map(shown),
        adopts: adopts.map(shown),
        ...(refusal === undefined ? {} : { refusal }),
      },
      nodes,
      ...(platform === undefined ? {} : { platform }),
      warnings: told,
      notes: costs,
      standIns,
    },
    text: [
      anything
        ? `castle up would change castle ${castle.name}:`
        : `Castle ${castle.name} is what its spec says`,
      ...(labMissing ? [`  + lab ${lab} is not up and would be made`] : []),
      ...machineLines(machines),
      ...nodes.flatMap(nodeLines),
      ...(platform === undefined ? [] : platformLines(platform)),
      ...told.flatMap(warningLines),
      ...costs.map((note) => `  · ${note}`),
      ...(standIns.length === 0 ? [] : ["", "What in the lab stands in for a rack:"]),
      ...standIns.map((standIn) => `  · ${standIn}`),
    ].join("\n"),
    exit: anything ? 3 : 0,
  };
}

function shown({ address, title, attributes, restarts }: ResourceChange) {
  return { address, title, attributes, restarts };
}

function machineLines({
  creates,
  updates,
  replaces,
  destroys,
  adopts,
  refusal,
}: PlanSummary): readonly string[] {
  return [
    ...adopts.map(({ title }) => `  = ${title} exists and would be taken over`),
    ...creates.map(({ title }) => `  + ${title} would be created`),
    ...updates.map(
      ({ title, attributes, restarts }) =>
        `  ~ ${title}: ${attributes.join(", ")}${restarts ? ", with a restart" : ""}`,
    ),
    ...replaces.map(({ title, attributes }) => `  ± ${title} would be recreated: ${attributes.join(", ")}`),
    ...destroys.map(({ title }) => `  - ${title} would be destroyed`),
    ...(refusal === undefined ? [] : [`  ✗ castle up would refuse: ${refusal}`]),
  ];
}

/** Paths of a configuration that a line has room for. */
const PATHS = 6;

function nodeLines({ name, change, differences, reason, talos }: NodePlan): readonly string[] {
  const upgrade =
    talos === undefined
      ? []
      : [`  ! ${name} needs an upgrade: it runs Talos ${talos.running}, the spec says ${talos.wanted}`];
  return [...configurationLine(), ...upgrade];

  function configurationLine(): readonly string[] {
    switch (change) {
      case "none":
        return [];
      case "configure":
        return [`  + ${name} would be configured`];
      case "reconfigure": {
        const more = differences.length > PATHS ? ` and ${differences.length - PATHS} more` : "";
        return [`  ~ ${name} would be reconfigured: ${differences.slice(0, PATHS).join(", ")}${more}`];
      }
      case "foreign":
        return [`  ✗ ${name} would be refused: ${reason ?? "it belongs to another castle"}`];
      case "unknown":
        return [`  ? ${name} does not answer: ${reason ?? "no reason is known"}`];
      default:
        return change satisfies never;
    }
  }
}

function platformLines({ changes, edits, diff }: PlatformPlan): readonly string[] {
  return [
    ...changes.map(
      ({ path, change }) => `  ${change === "removed" ? "-" : "+"} Git: ${path} would be ${change}`,
    ),
    ...edits.map(({ path, change }) => `  ✗ Git: ${path} was ${change} by hand; castle up would stop there`),
    ...(diff === ""
      ? []
      : diff
          .trimEnd()
          .split("\n")
          .map((line) => `    ${line}`)),
  ];
}

function warningLines({ message, hint }: SpecWarning): readonly string[] {
  return [`  ! ${message}`, ...(hint === undefined ? [] : [`    ${hint}`])];
}
