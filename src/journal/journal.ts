import { appendFileSync, mkdirSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { StepEvent } from "./step.ts";

const stamp = { at: z.string(), elapsed: z.number() };
const id = z.string();
const milliseconds = z.number();

const lineShape = z.discriminatedUnion("type", [
  z.object({
    ...stamp,
    type: z.literal("run-started"),
    verb: z.string(),
    castle: z.string(),
    pid: z.number(),
  }),
  z.object({
    ...stamp,
    type: z.literal("run-ended"),
    outcome: z.enum(["done", "failed"]),
    error: z.string().optional(),
    verb: z.string(),
  }),
  z.object({ ...stamp, type: z.literal("started"), id, title: z.string(), parent: id.optional() }),
  z.object({
    ...stamp,
    type: z.literal("progress"),
    id,
    message: z.string(),
    done: z.number().optional(),
    total: z.number().optional(),
  }),
  z.object({ ...stamp, type: z.literal("finished"), id, milliseconds, detail: z.string().optional() }),
  z.object({ ...stamp, type: z.literal("skipped"), id, title: z.string(), reason: z.string() }),
  z.object({ ...stamp, type: z.literal("failed"), id, milliseconds, error: z.string() }),
  z.object({ ...stamp, type: z.literal("warning"), message: z.string(), hint: z.string().optional() }),
]);

/** One line of a run's file: when (ISO 8601, UTC), milliseconds since the run began, and what happened. */
export type JournalLine = Readonly<z.infer<typeof lineShape>>;

export interface Journal {
  readonly file: string;
  record(event: StepEvent): void;
  end(outcome: "done" | "failed", error?: string): void;
}

export interface JournalOptions {
  readonly folder: string;
  readonly verb: string;
  readonly castle: string;
  readonly pid: number;
  readonly now: () => Date;
}

/**
 * Opens the journal of one run: a JSON line for every event, appended at once so that a killed run tells how far
 * it came. Mode 0600.
 */
export function openJournal({ folder, verb, castle, pid, now }: JournalOptions): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const began = now();
  const file = join(folder, `${began.toISOString().replaceAll(":", "-")}-${verb}-${pid}.jsonl`);
  const append = (entry: object) => {
    const at = now();
    const line = { at: at.toISOString(), elapsed: at.getTime() - began.getTime(), ...entry };
    appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  };
  append({ type: "run-started", verb, castle, pid });
  const progress = new Map<string, string>();
  return {
    file,
    record: (event) => {
      // Who polls says the same at every look; the journal keeps what was new.
      if (event.type === "progress") {
        const said = JSON.stringify(event);
        if (progress.get(event.id) === said) return;
        progress.set(event.id, said);
      }
      append(event);
    },
    end: (outcome, error) =>
      append({ type: "run-ended", verb, outcome, ...(error === undefined ? {} : { error }) }),
  };
}

/** The lines of the newest runs, oldest first. A last line cut short by a kill is left out. */
export async function readJournal(folder: string, runs: number): Promise<JournalLine[]> {
  const names = await readdir(folder).catch(() => []);
  const newest = names
    .filter((name) => name.endsWith(".jsonl"))
    .toSorted()
    .slice(-runs);
  const texts = await Promise.all(newest.map((name) => readFile(join(folder, name), "utf8")));
  return texts.flatMap((text) =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => lineShape.parse(JSON.parse(line))),
  );
}
