import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Report, runStep } from "../journal/step.ts";
import { exportParts, importParts } from "../lab/parts/archive.ts";
import { ensureParts } from "../lab/parts/builder.ts";
import { pullParts } from "../lab/parts/pull.ts";
import type { PartStatus, PartsStore } from "../lab/parts/store.ts";
import type { Answer, AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { goCaches, openParts } from "./parts-session.ts";
import { table } from "./table.ts";
import { offerTools } from "./tool-offer.ts";

export async function listParts(context: Context): Promise<Answer> {
  const store = openParts(context);
  return partsAnswer(store, await store.status());
}

export async function verifyParts(context: Context, report: Report): Promise<Answer> {
  const store = openParts(context);
  let parts: PartStatus[] = [];
  await runStep(report, { id: "verify", title: "Every byte of every part read" }, async () => {
    parts = await store.status({ full: true });
    return { detail: `${parts.filter(({ state }) => state === "whole").length} whole` };
  });
  const wanted = new Set(store.wanted());
  const faulty = parts.some(
    ({ state, part }) => state === "broken" || (state === "missing" && wanted.has(part.name)),
  );
  return { ...partsAnswer(store, parts), exit: faulty ? 3 : 0 };
}

export async function buildParts(
  context: Context,
  report: Report,
  { installTools, keepCaches }: { readonly installTools: boolean; readonly keepCaches: boolean },
): Promise<Answer> {
  const store = openParts(context);
  const caches = goCaches(context);
  await offerTools(context, installTools, (install) =>
    ensureParts(store, store.wanted(), {
      report,
      installTools: install,
      keepCaches,
      ...caches,
      signal: context.signal,
    }),
  );
  return partsAnswer(store, await store.status());
}

export async function pullOfficial(context: Context, report: Report): Promise<Answer> {
  const parts = await pullParts(openParts(context), { report, signal: context.signal });
  const text =
    parts.length === 0
      ? "All parts that have an official image are there already"
      : `Pulled ${parts.join(", ")}. Next: castle parts build makes the rest`;
  return { kind: "PartsPulled", data: { parts }, text };
}

export async function exportToFile(context: Context, report: Report, name: string): Promise<Answer> {
  const store = openParts(context);
  const file = resolve(context.cwd, name);
  await runStep(report, { id: "export", title: `Parts packed into ${name}` }, async () => {
    await exportParts(store, file, { signal: context.signal });
    return { detail: size((await stat(file)).size) };
  });
  const bytes = (await stat(file)).size;
  return {
    kind: "PartsExported",
    data: { file, bytes, parts: store.wanted() },
    text: `Wrote ${name}, ${size(bytes)}. On the other machine: castle parts import ${name}`,
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

function partsAnswer(store: PartsStore, statuses: readonly PartStatus[]): AnswerOf<"Parts"> {
  const needed = new Set(store.wanted());
  const parts = statuses.map(({ part: { name, version, purpose }, state, origin }) => ({
    name,
    version,
    purpose,
    state,
    ...(origin === undefined ? {} : { origin }),
    wanted: needed.has(name),
  }));
  // A piece of other parts has to be there only while those are made, the platform's only where a castle has one.
  const rows = parts.map(({ name, version, state, origin, wanted, purpose }) => [
    name,
    version,
    state === "missing" && !wanted ? "not needed" : state,
    origin ?? "-",
    purpose,
  ]);
  const missing = parts.filter(({ state, wanted }) => state === "broken" || (state === "missing" && wanted));
  const verdict =
    missing.length === 0
      ? `All parts are in ${store.objects.root}`
      : `${missing.length} parts are missing or broken in ${store.objects.root}. Next: castle parts build`;
  return {
    kind: "Parts",
    data: { store: store.objects.root, parts },
    text: `${table([["PART", "VERSION", "STATE", "ORIGIN", "FOR"], ...rows])}\n\n${verdict}`,
  };
}

function size(bytes: number): string {
  const gibibytes = bytes / 1024 ** 3;
  return gibibytes >= 1 ? `${gibibytes.toFixed(2)} GiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
