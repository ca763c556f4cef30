import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../errors/castle-error.ts";
import type { JournalLine } from "../journal/journal.ts";
import type { CastleNode } from "../spec/castle.ts";
import { eventTime } from "../talos/event-time.ts";
import { type EventSettings, type MachineEvent, events } from "../talos/events.ts";
import type { NodeClients } from "./raise/node-clients.ts";

/** Something that happened to a castle, told by a node or by a run of castle itself. */
export interface CastleEvent {
  /** ISO 8601, UTC; nodes tell whole seconds. */
  readonly at: string;
  /** A node's name, or "castle" for the journal. */
  readonly from: string;
  readonly type: string;
  readonly text: string;
}

/** Milliseconds of silence after which a node has told its past. */
const QUIET = 700;
/** Milliseconds that a node has to begin. */
const PATIENCE = 5_000;
/** Milliseconds between two tries to reach a node that went away. */
const AGAIN = 1_000;

export interface NodePast {
  readonly events: readonly CastleEvent[];
  /** Id of the last of them. */
  readonly last: string | undefined;
}

/** The last events of one node, oldest first; undefined where it does not answer. */
export async function pastOf(
  clients: NodeClients,
  node: CastleNode,
  { tail, signal }: { readonly tail: number; readonly signal: AbortSignal },
): Promise<NodePast | undefined> {
  const enough = new AbortController();
  let timer = setTimeout(() => enough.abort(), PATIENCE);
  const found: CastleEvent[] = [];
  let last: string | undefined;
  try {
    const client = await clients.trusted(node);
    // The stream has no mark between past and present: silence ends the past.
    const settings: EventSettings = { tail, signal: AbortSignal.any([signal, enough.signal]) };
    for await (const event of events(client, settings)) {
      clearTimeout(timer);
      timer = setTimeout(() => enough.abort(), QUIET);
      found.push(ofNode(node.name, event));
      last = event.id;
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof CastleError)) throw error;
    if (found.length === 0 && !enough.signal.aborted) return undefined;
  } finally {
    clearTimeout(timer);
  }
  return { events: found, last };
}

export interface FollowOptions {
  /** Id of the event to go on after. */
  readonly after: string | undefined;
  readonly signal: AbortSignal;
  readonly tell: (event: CastleEvent) => void;
}

/** Tells a node's events as they happen, also over its restarts, until the signal fires. */
export async function follow(
  clients: NodeClients,
  node: CastleNode,
  { after, signal, tell }: FollowOptions,
): Promise<void> {
  let last = after;
  while (!signal.aborted) {
    try {
      const client = await clients.trusted(node);
      for await (const event of events(client, { ...(last === undefined ? {} : { after: last }), signal })) {
        last = event.id;
        tell(ofNode(node.name, event));
      }
    } catch (error) {
      if (!(error instanceof CastleError)) throw error;
      // A node that has restarted no longer knows the event; it has others to tell.
      if (error.code === "talos/call-failed" || error.code === "talos/not-found") last = undefined;
    }
    await delay(AGAIN, undefined, { signal }).catch(() => undefined);
  }
}

/** What castle's own runs did. */
export function ofJournal(lines: readonly JournalLine[]): readonly CastleEvent[] {
  const titles = new Map<string, string>();
  return lines.flatMap((line) => {
    if (line.type === "started") titles.set(line.id, line.title);
    const text = journalText(line, "id" in line ? (titles.get(line.id) ?? line.id) : "");
    return text === undefined ? [] : [{ at: line.at, from: "castle", type: line.type, text }];
  });
}

/** In the order of their times; what happened in the same moment stays in the order that it was told in. */
export function inOrder(found: readonly CastleEvent[]): readonly CastleEvent[] {
  return found.toSorted((left, right) => Date.parse(left.at) - Date.parse(right.at));
}

function journalText(line: JournalLine, title: string): string | undefined {
  switch (line.type) {
    case "run-started":
      return `castle ${line.verb} began`;
    case "run-ended":
      return `castle ${line.verb} ${line.outcome}${line.error === undefined ? "" : `: ${line.error}`}`;
    case "started":
      return line.parent === undefined ? title : undefined;
    case "finished": {
      const detail = line.detail === undefined ? "" : ` (${line.detail})`;
      return `${title}: done in ${(line.milliseconds / 1000).toFixed(1)}s${detail}`;
    }
    case "failed":
      return `${title}: failed, ${line.error}`;
    case "skipped":
      return `${line.title}: skipped, ${line.reason}`;
    case "warning":
      return line.message;
    case "progress":
      return undefined;
    default:
      return line satisfies never;
  }
}

function ofNode(from: string, event: MachineEvent): CastleEvent {
  const at = (eventTime(event.id) ?? new Date(0)).toISOString();
  return { at, from, type: event.type, text: nodeText(event) };
}

function nodeText(event: MachineEvent): string {
  switch (event.type) {
    case "sequence":
      return `sequence ${event.sequence} ${event.action.toLowerCase()}${event.error === undefined ? "" : `: ${event.error}`}`;
    case "phase":
      return `phase ${event.phase} ${event.action.toLowerCase()}`;
    case "task":
      return `task ${event.task} ${event.action.toLowerCase()}`;
    case "service":
      return `service ${event.service} ${event.action.toLowerCase()}: ${event.message}`;
    case "stage": {
      const waits = event.unmet.map(({ name, reason }) => `${name} (${reason})`).join(", ");
      return `${event.stage.toLowerCase()}${event.ready ? ", ready" : ""}${waits === "" ? "" : `, waits for ${waits}`}`;
    }
    case "address":
      return `addresses ${event.addresses.join(", ")}`;
    case "config-error":
      return `configuration error: ${event.error}`;
    case "other":
      return event.name;
    default:
      return event satisfies never;
  }
}
