import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Report, runStep } from "../journal/step.ts";
import { exportParts, importParts } from "../lab/parts/archive.ts";
import { ensureParts } from "../lab/parts/builder.ts";
import type { PartSet } from "../lab/parts/part.ts";
import { findLeftovers, objectsInUse, removeLeftovers } from "../lab/parts/prune.ts";
import { pullParts } from "../lab/parts/pull.ts";
import type { PartStatus, PartsStore } from "../lab/parts/store.ts";
import { withStoreLock } from "../lab/parts/store-lock.ts";
import type { Answer, AnswerOf } from "./answer.ts";
import { confirm } from "./confirm.ts";
import type { Context } from "./context.ts";
import { type PartsChoice, chosenSets, goCaches, openParts } from "./parts-session.ts";
import { places } from "./places.ts";
import { table } from "./table.ts";
import { offerTools } from "./tool-offer.ts";

export async function listParts(context: Context, choice: PartsChoice): Promise<Answer> {
  const store = openParts(context);
  const sets = await chosenSets(context, choice);
  return partsAnswer(store, sets, await store.status());
}

export async function verifyParts(context: Context, report: Report, choice: PartsChoice): Promise<Answer> {
  const store = openParts(context);
  const sets = await chosenSets(context, choice);
  let parts: PartStatus[] = [];
  await runStep(report, { id: "verify", title: "Every byte of every part read" }, async () => {
    parts = await store.status({ full: true });
    return { detail: `${parts.filter(({ state }) => state === "whole").length} whole` };
  });
  const wanted = new Set(store.wanted(sets));
  const faulty = parts.some(
    ({ state, part }) => state === "broken" || (state === "missing" && wanted.has(part.name)),
  );
  return { ...partsAnswer(store, sets, parts), exit: faulty ? 3 : 0 };
}

interface BuildChoice extends PartsChoice {
  readonly installTools: boolean;
  readonly keepCaches: boolean;
}

export async function buildParts(
  context: Context,
  report: Report,
  { installTools, keepCaches, ...choice }: BuildChoice,
): Promise<Answer> {
  const store = openParts(context);
  const sets = await chosenSets(context, choice);
  const caches = goCaches(context);
  await offerTools(context, installTools, (install) =>
    ensureParts(store, store.wanted(sets), {
      report,
      installTools: install,
      keepCaches,
      ...caches,
      signal: context.signal,
    }),
  );
  return partsAnswer(store, sets, await store.status());
}

export async function pullOfficial(context: Context, report: Report, choice: PartsChoice): Promise<Answer> {
  const sets = await chosenSets(context, choice);
  const parts = await pullParts(openParts(context), { report, sets, signal: context.signal });
  const text =
    parts.length === 0
      ? "All parts that have an official image are there already"
      : `Pulled ${parts.join(", ")}. Next: castle parts build makes the rest`;
  return { kind: "PartsPulled", data: { parts }, text };
}

interface ExportChoice extends PartsChoice {
  /** The archive, as the user named it. */
  readonly archive: string;
}

export async function exportToFile(
  context: Context,
  report: Report,
  { archive, ...choice }: ExportChoice,
): Promise<Answer> {
  const store = openParts(context);
  const sets = await chosenSets(context, choice);
  const file = resolve(context.cwd, archive);
  let bytes = 0;
  await runStep(report, { id: "export", title: `Parts packed into ${archive}` }, async () => {
    await exportParts(store, file, { sets, signal: context.signal });
    bytes = (await stat(file)).size;
    return { detail: size(bytes) };
  });
  return {
    kind: "PartsExported",
    data: { file, bytes, parts: store.wanted(sets) },
    text: `Wrote ${archive}, ${size(bytes)}. On the other machine: castle parts import ${archive}`,
  };
}

export async function importFromFile(context: Context, report: Report, name: string): Promise<Answer> {
  const file = resolve(context.cwd, name);
  let parts: readonly string[] = [];
  await runStep(report, { id: "import", title: `Parts taken from ${name}` }, async () => {
    parts = await importParts(openParts(context), file, { signal: context.signal });
    return { detail: `${parts.length} parts` };
  });
  return { kind: "PartsImported", data: { file, parts }, text: `${parts.length} parts are in the store` };
}

/** Removes what other versions of castle left in the store. */
export async function pruneParts(context: Context, yes: boolean): Promise<Answer> {
  const store = openParts(context);
  const { labs } = places(context);
  const find = async () => findLeftovers(store, await objectsInUse(labs));
  const { objects, bytes } = await find();
  if (objects.length === 0) return prunedAnswer(store, { objects: 0, bytes: 0 });
  const count = `${objects.length} objects of other versions of castle (${size(bytes)})`;
  await confirm(context, yes, `remove ${count} from ${store.objects.root}`);
  return withStoreLock(store.objects.root, async () => {
    // Looked at again: whoever held the lock before may have used some of it.
    const leftovers = await find();
    await removeLeftovers(store, leftovers);
    return prunedAnswer(store, { objects: leftovers.objects.length, bytes: leftovers.bytes });
  });
}

function prunedAnswer(
  { objects: { root } }: PartsStore,
  removed: { readonly objects: number; readonly bytes: number },
): AnswerOf<"PartsPruned"> {
  const text =
    removed.objects === 0
      ? `Nothing in ${root} is of another version`
      : `Removed ${removed.objects} objects from ${root}, ${size(removed.bytes)}`;
  return { kind: "PartsPruned", data: { store: root, ...removed }, text };
}

function partsAnswer(
  store: PartsStore,
  sets: readonly PartSet[],
  statuses: readonly PartStatus[],
): AnswerOf<"Parts"> {
  const needed = new Set(store.wanted(sets));
  const parts = statuses.map(({ part: { name, version, set, purpose }, state, origin }) => ({
    name,
    version,
    set,
    purpose,
    state,
    ...(origin === undefined ? {} : { origin }),
    wanted: needed.has(name),
  }));
  // A piece of other parts has to be there only while those are made, the platform's only where a castle has one.
  const rows = parts.map(({ name, version, set, state, origin, wanted, purpose }) => [
    name,
    version,
    set,
    state === "missing" && !wanted ? "not needed" : state,
    origin ?? "-",
    purpose,
  ]);
  const missing = parts.filter(({ state, wanted }) => state === "broken" || (state === "missing" && wanted));
  const counted = missing.length === 1 ? "1 part is" : `${missing.length} parts are`;
  const verdict =
    missing.length === 0
      ? `All parts for ${listed(sets)} are in ${store.objects.root}`
      : `${counted} missing or broken in ${store.objects.root}. Next: castle parts build`;
  return {
    kind: "Parts",
    data: { store: store.objects.root, sets, parts },
    text: `${table([["PART", "VERSION", "SET", "STATE", "ORIGIN", "FOR"], ...rows])}\n\n${verdict}`,
  };
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function size(bytes: number): string {
  const gibibytes = bytes / 1024 ** 3;
  return gibibytes >= 1 ? `${gibibytes.toFixed(2)} GiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
