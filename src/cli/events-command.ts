import { readJournal } from "../journal/journal.ts";
import { type CastleEvent, follow, inOrder, ofJournal, pastOf } from "../lifecycle/events.ts";
import { castleHome } from "../lifecycle/home.ts";
import { NodeClients } from "../lifecycle/raise/node-clients.ts";
import { readCredentials } from "../talos/talosconfig.ts";
import type { Answer } from "./answer.ts";
import type { Context } from "./context.ts";
import { secretStore } from "./secret-store.ts";
import { findGround } from "./standing-ground.ts";
import { type SpecFile, readSpecFile } from "./spec-file.ts";

/** How many of castle's own runs are looked at. */
const RUNS = 5;

export interface EventsRequest {
  readonly file: string;
  readonly follow: boolean;
  readonly tail: number;
}

/** The past of a castle; with `follow` also what comes, until castle is interrupted. */
export async function castleEvents(context: Context, request: EventsRequest): Promise<Answer> {
  const spec = await readSpecFile(context, request.file);
  const { castle } = spec;
  const { signal, process } = context;
  const [clients, home] = await Promise.all([
    nodeClients(context, spec),
    castleHome(spec.folder, castle.name),
  ]);
  try {
    const pasts = await Promise.all(
      castle.nodes.map(async (node) => ({
        node,
        past: clients === undefined ? undefined : await pastOf(clients, node, { tail: request.tail, signal }),
      })),
    );
    const journal = ofJournal(await readJournal(home.journal, RUNS));
    const told = inOrder([...journal, ...pasts.flatMap(({ past }) => past?.events ?? [])]);
    const events = request.tail === 0 ? [] : told.slice(-request.tail);
    const silent = pasts.flatMap(({ node, past }) => (past === undefined ? [node.name] : []));
    const text = [...events.map(eventLine), ...silenceLine(silent)].join("\n");
    if (!request.follow || clients === undefined) {
      return { kind: "CastleEvents", data: { castle: castle.name, silent, events }, text };
    }
    if (text !== "") process.stdout.write(`${text}\n`);
    const tell = (event: CastleEvent) => process.stdout.write(`${eventLine(event)}\n`);
    await Promise.all(
      pasts.map(({ node, past }) => follow(clients, node, { after: past?.last, signal, tell })),
    );
    return { kind: "Passed" };
  } finally {
    clients?.close();
  }
}

/** Undefined where the castle was never raised or its lab is not up: then only the journal tells. */
async function nodeClients(context: Context, spec: SpecFile): Promise<NodeClients | undefined> {
  const [ground, talosconfig] = await Promise.all([
    findGround(context, spec.castle),
    secretStore(context, spec).get("talosconfig"),
  ]);
  if (ground === undefined || talosconfig === undefined) return undefined;
  return new NodeClients({ ground }, readCredentials(talosconfig));
}

function eventLine({ at, from, text }: CastleEvent): string {
  return `${at.replace("T", " ").replace(/(\.000)?Z$/, "")}  ${from.padEnd(16)}  ${text}`;
}

function silenceLine(silent: readonly string[]): readonly string[] {
  return silent.length === 0 ? [] : [`! no events from ${silent.join(", ")}: no answer, or never raised`];
}
