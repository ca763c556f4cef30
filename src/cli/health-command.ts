import { setTimeout as delay } from "node:timers/promises";
import type { Finding } from "../doctor/finding.ts";
import { type CheckResult, type Health, judgeHealth } from "../doctor/health.ts";
import type { Answer } from "./answer.ts";
import type { Context } from "./context.ts";
import { examineCastle } from "./examination.ts";
import { readSpecFile } from "./spec-file.ts";

/** Milliseconds between two looks of `--watch`. */
const AGAIN = 3_000;

export async function castleHealth(context: Context, file: string): Promise<Answer> {
  const start = performance.now();
  const { castle, health } = await look(context, file);
  const milliseconds = Math.round(performance.now() - start);
  return {
    kind: "CastleHealth",
    data: { castle, milliseconds, ...health },
    text: [
      ...health.checks.map(resultText),
      `Castle ${castle} is ${health.healthy ? "healthy" : "not healthy"} (${health.checks.length} checks, ${(milliseconds / 1000).toFixed(1)} s)`,
    ].join("\n"),
    exit: health.healthy ? 0 : 3,
  };
}

/** Tells all checks once, then every check whose words change. */
export async function watchHealth(context: Context, file: string): Promise<Answer> {
  const { process, signal, now } = context;
  const told = new Map<string, string>();
  while (!signal.aborted) {
    const { health } = await look(context, file);
    for (const check of health.checks) {
      const text = resultText(check);
      if (told.get(check.id) !== text) process.stdout.write(`${clock(now())}  ${text}\n`);
      told.set(check.id, text);
    }
    await delay(AGAIN, undefined, { signal }).catch(() => undefined);
  }
  return { kind: "Passed" };
}

async function look(context: Context, file: string): Promise<{ castle: string; health: Health }> {
  const spec = await readSpecFile(context, file);
  return {
    castle: spec.castle.name,
    health: judgeHealth(await examineCastle(context, spec, { thorough: false })),
  };
}

const MARKS = { healthy: "✓", findings: "✗", unknown: "?" } as const;

function resultText({ verdict, title, findings, unknown }: CheckResult): string {
  const head = `${MARKS[verdict]} ${title}${unknown === undefined ? "" : `: not known, ${unknown}`}`;
  return [head, ...findings.map(findingText)].join("\n");
}

function findingText({ severity, object, message, fix }: Finding): string {
  const next = fix === undefined ? "" : `\n      → ${fix}`;
  return `    ${severity} ${object}: ${message}${next}`;
}

function clock(now: Date): string {
  return now.toISOString().slice(11, 19);
}
