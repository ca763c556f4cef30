import { API_VERSION } from "../src/cli/documents.ts";
import { median } from "./median.ts";
import type { Measurement, Section } from "./section.ts";

export interface Answer {
  readonly section: Section;
  readonly measured: readonly Measurement[];
}

/** For machines: every value, and the medians. */
export function document(answers: readonly Answer[]): unknown {
  return {
    apiVersion: API_VERSION,
    kind: "Bench",
    sections: answers.map(({ section: { name, title }, measured }) => ({
      name,
      title,
      measured: measured.map(({ values, byHand, ...about }) => ({
        ...about,
        median: median(values),
        values,
        ...(byHand === undefined
          ? {}
          : { byHand: { median: median(byHand), values: byHand }, ratio: ratio(values, byHand) }),
      })),
    })),
  };
}

/** For people: medians, and behind them every value. */
export function table(answers: readonly Answer[]): string {
  return answers.flatMap(({ section, measured }) => [section.title, ...measured.flatMap(lines)]).join("\n");
}

function lines({ what, unit, values, byHand, wanted = "" }: Measurement): string[] {
  const all = (list: readonly number[]) => list.map((value) => shown(value, unit)).join(", ");
  const line = (who: string, list: readonly number[], note: string) =>
    `  ${who.padEnd(24)}${`${shown(median(list), unit)} ${unit}`.padStart(10)}  ${note.padEnd(30)}  (${all(list)})`;
  if (byHand === undefined) return [line(what, values, wanted)];
  const times = `${ratio(values, byHand)} times${wanted === "" ? "" : `; ${wanted}`}`;
  return [line(what, values, times), line("  by hand", byHand, "")];
}

function shown(value: number, unit: Measurement["unit"]): string {
  return unit === "ms" ? value.toFixed(0) : value.toFixed(unit === "GiB" ? 2 : 1);
}

function ratio(values: readonly number[], byHand: readonly number[]): number {
  return Math.round((median(values) / median(byHand)) * 100) / 100;
}
