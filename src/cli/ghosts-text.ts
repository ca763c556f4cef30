import { cureText } from "../ghosts/cure-text.ts";
import type { JudgedGhost } from "../ghosts/ghost.ts";
import type { Quorum } from "../ghosts/quorum.ts";
import { waysOut } from "../ghosts/way-out.ts";
import type { GhostCure } from "../lifecycle/ghosts/cure.ts";
import type { GhostLook } from "../lifecycle/ghosts/look.ts";
import { standingText } from "../quorum/standing.ts";
import { elapsed } from "./progress/elapsed.ts";

/** As a good doctor says it: what it is, how one sees it, what would be done and what that does. */
export function lookText({ testimony, ghosts, quorum, milliseconds }: GhostLook): string {
  const count = ghosts.filter(({ state }) => state.kind === "ghost").length;
  const silent = testimony.nodes.filter(({ answer }) => answer === "silent");
  const told = testimony.nodes.some(({ answer }) => answer === "trusted" || answer === "maintenance");
  const strangers = testimony.nodes.filter(({ answer }) => answer === "foreign");
  const alarms = testimony.nodes.flatMap(({ name, etcd }) =>
    (etcd?.alarms ?? []).map((alarm) => `  etcd's alarm ${alarm} on ${name}: castle health`),
  );
  return [
    ...ghosts.map(ghostText),
    ...lostText({ testimony, quorum }),
    `${verdictText(count, quorum.state)} (${elapsed(milliseconds)})`,
    `  etcd: ${etcdText(quorum)}`,
    ...alarms,
    ...(silent.length === 0 ? [] : [`  silent: ${silent.map(({ name }) => name).join(", ")}`]),
    ...(told || strangers.length === 0
      ? []
      : [
          `  ${strangers.map(({ name }) => name).join(", ")}: other secrets than this castle's: castle status`,
        ]),
    ...(ghosts.some(({ state, curable }) => state.kind === "ghost" && curable)
      ? ["Next: castle ghosts --cure"]
      : []),
  ].join("\n");
}

function verdictText(count: number, state: Quorum["state"]): string {
  if (count > 0) return `${count} ${count === 1 ? "ghost" : "ghosts"}`;
  return state === "holds" ? "No ghosts" : "No ghost was told of, and not everything is known";
}

function ghostText(ghost: JudgedGhost): string {
  const { class: name, subject, title, state, evidence, cures, quorum } = ghost;
  const width = Math.max(...evidence.map(({ source }) => source.length));
  const head =
    state.kind === "ghost"
      ? `✗ ${name} ${subject}: ${title}`
      : `… ${subject} is joining, ${Math.round(state.seconds)} s (at ${state.ghostAt} s a ghost, ${name}: ${title})`;
  return [
    head,
    ...evidence.map(({ source, fact }) => `    ${source.padEnd(width)}  ${fact}`),
    ...quorum.map(({ step: { kind, member }, verdict, before, after, reason }) =>
      verdict === "safe"
        ? `  ${kind} ${member}: ${standingText(before)} → ${standingText(after)}`
        : `  ${kind} ${member}: ${verdict}, ${reason} (now ${standingText(before)})`,
    ),
    ...cures.map((cure) => `  → ${cureText(cure)}`),
  ].join("\n");
}

function lostText({ testimony, quorum }: Pick<GhostLook, "testimony" | "quorum">): readonly string[] {
  const ways = waysOut(testimony, quorum);
  if (ways.length === 0) return [];
  return [
    "✗ etcd has lost its quorum: nobody tells its members, and none can be removed or added",
    ...ways.map(({ command, loses }) => `  → ${command}  loses ${loses}`),
  ];
}

function etcdText({ state, standing }: Quorum): string {
  if (standing === undefined) return "nobody told of one";
  return `${standingText(standing)}${state === "lost" ? ", lost" : ""}`;
}

export function cureSummary(
  castle: string,
  { cured, left, waiting }: GhostCure,
  milliseconds: number,
): string {
  const done = cured.map(
    ({ ghost, milliseconds: took }) => `✓ ${ghost.class} ${ghost.subject}: cured after ${elapsed(took)}`,
  );
  const rest = left.length + waiting.length;
  const verdict = rest === 0 ? "has no ghosts" : "is not whole yet";
  return [
    ...done,
    ...left.map(ghostText),
    ...waiting.map((sentence) => `… ${sentence}`),
    `Castle ${castle} ${verdict}${cured.length === 0 ? "" : ` (${elapsed(milliseconds)})`}`,
  ].join("\n");
}
