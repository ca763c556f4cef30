import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CastleError } from "../errors/castle-error.ts";
import { openJournal, readJournal } from "./journal.ts";
import { type StepEvent, runStep } from "./step.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-journal-"));
});
afterEach(() => rm(folder, { recursive: true }));

function journalAt(second: number) {
  let now = second * 1000;
  return openJournal({
    folder,
    verb: "up",
    castle: "fortress",
    pid: 7,
    now: () => new Date((now += 10)),
  });
}

test("every event is on disk at once, with its time since the run began, for the owner alone", async () => {
  const journal = journalAt(0);
  journal.record({ type: "started", id: "api", title: "API" });
  const lines = (await readFile(journal.file, "utf8")).trimEnd().split("\n");
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[1] ?? "")).toMatchObject({ elapsed: 20, type: "started", id: "api" });
  expect((await stat(journal.file)).mode & 0o777).toBe(0o600);
});

test("progress that says the same again is written once", async () => {
  const journal = journalAt(0);
  for (const done of [3, 3, 4, 4]) {
    journal.record({ type: "progress", id: "nodes", message: `${done} of 5`, done, total: 5 });
    journal.record({ type: "progress", id: "etcd", message: "it is a learner" });
  }
  const said = (await readJournal(folder, 1)).flatMap((line) =>
    line.type === "progress" ? line.message : [],
  );
  expect(said).toEqual(["3 of 5", "it is a learner", "4 of 5"]);
});

test("the newest runs are read oldest first, without a last line that a kill cut short", async () => {
  journalAt(1).end("done");
  const second = journalAt(2);
  second.end("failed", "talos/unreachable: no answer");
  await appendFile(journalAt(3).file, '{"at":"1970');
  const lines = await readJournal(folder, 2);
  expect(lines.map(({ type }) => type)).toEqual(["run-started", "run-ended", "run-started"]);
  expect(lines[1]).toMatchObject({ outcome: "failed", error: "talos/unreachable: no answer" });
  expect(await readJournal(join(folder, "none"), 1)).toEqual([]);
});

test("a step tells its start, its end and its detail, or its failure, and throws that on", async () => {
  const events: StepEvent[] = [];
  const report = (event: StepEvent) => void events.push(event);
  await runStep(report, { id: "a", title: "A" }, async () => ({ detail: "3 made" }));
  const broken = runStep(report, { id: "b", title: "B" }, async () => {
    throw new CastleError("talos/unreachable", { message: "cp-1 is silent" });
  });
  await expect(broken).rejects.toThrow("cp-1 is silent");
  expect(events.map(({ type }) => type)).toEqual(["started", "finished", "started", "failed"]);
  expect(events[1]).toMatchObject({ detail: "3 made" });
  expect(events[3]).toMatchObject({ error: "talos/unreachable: cp-1 is silent" });
});
