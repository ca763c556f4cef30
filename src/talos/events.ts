import { type WireEvent, calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";
import { message } from "./schema.ts";

/** What a node says of itself while it boots, works and stops. */
export type MachineEvent = { readonly id: string; readonly actor: string } & MachineEventData;

export type MachineEventData =
  | {
      readonly type: "sequence";
      readonly sequence: string;
      readonly action: string;
      readonly error: string | undefined;
    }
  | { readonly type: "phase"; readonly phase: string; readonly action: string }
  | { readonly type: "task"; readonly task: string; readonly action: string }
  | { readonly type: "service"; readonly service: string; readonly action: string; readonly message: string }
  | {
      readonly type: "stage";
      readonly stage: string;
      readonly ready: boolean;
      readonly unmet: readonly UnmetCondition[];
    }
  | { readonly type: "address"; readonly hostname: string; readonly addresses: readonly string[] }
  | { readonly type: "config-error"; readonly error: string }
  | { readonly type: "other"; readonly name: string };

export interface UnmetCondition {
  readonly name: string;
  readonly reason: string;
}

export interface EventSettings extends CallSettings {
  /** How many past events come first; -1: all that the node still has. None unless told. */
  readonly tail?: number;
  /** Go on after this event's id. */
  readonly after?: string;
  /** Only events of the sequence that a call started, by the actor id that it returned. */
  readonly actor?: string;
}

/**
 * The node's events as they happen, until `signal` fires or the node goes away.
 * @throws CastleError talos/…
 */
export async function* events(
  client: TalosClient,
  { tail, after, actor, ...settings }: EventSettings = {},
): AsyncGenerator<MachineEvent, void, undefined> {
  const request = {
    ...(tail === undefined ? {} : { tailEvents: tail }),
    ...(after === undefined ? {} : { tailId: after }),
    ...(actor === undefined ? {} : { withActorId: actor }),
  };
  for await (const event of client.stream(calls.events, request, settings)) {
    const data = decode(event);
    if (data !== undefined) yield { id: event.id, actor: event.actorId, ...data };
  }
}

/** TypeScript's view of the messages in an event's data; enums are their names, absent messages null. */
interface EventMessages {
  readonly "machine.SequenceEvent": Action & {
    readonly sequence: string;
    readonly error: { readonly message: string } | null;
  };
  readonly "machine.PhaseEvent": Action & { readonly phase: string };
  readonly "machine.TaskEvent": Action & { readonly task: string };
  readonly "machine.ServiceStateEvent": Action & { readonly service: string; readonly message: string };
  readonly "machine.MachineStatusEvent": {
    readonly stage: string;
    readonly status: { readonly ready: boolean; readonly unmetConditions: readonly UnmetCondition[] } | null;
  };
  readonly "machine.AddressEvent": { readonly hostname: string; readonly addresses: readonly string[] };
  readonly "machine.ConfigLoadErrorEvent": { readonly error: string };
  readonly "machine.ConfigValidationErrorEvent": { readonly error: string };
}

interface Action {
  readonly action: string;
}

/** Undefined: the empty message with which the node says that the stream is open. */
function decode({ data }: WireEvent): MachineEventData | undefined {
  if (data === null || data.type_url === "") return undefined;
  const name = data.type_url.slice(data.type_url.lastIndexOf("/") + 1);
  const { value } = data;
  switch (name) {
    case "google.protobuf.Empty":
      return undefined;
    case "machine.SequenceEvent": {
      const { sequence, action, error } = read(name, value);
      return { type: "sequence", sequence, action, error: error?.message };
    }
    case "machine.PhaseEvent": {
      const { phase, action } = read(name, value);
      return { type: "phase", phase, action };
    }
    case "machine.TaskEvent": {
      const { task, action } = read(name, value);
      return { type: "task", task, action };
    }
    case "machine.ServiceStateEvent": {
      const { service, action, message: said } = read(name, value);
      return { type: "service", service, action, message: said };
    }
    case "machine.MachineStatusEvent": {
      const { stage, status } = read(name, value);
      return { type: "stage", stage, ready: status?.ready ?? false, unmet: status?.unmetConditions ?? [] };
    }
    case "machine.AddressEvent": {
      const { hostname, addresses } = read(name, value);
      return { type: "address", hostname, addresses };
    }
    case "machine.ConfigLoadErrorEvent":
    case "machine.ConfigValidationErrorEvent":
      return { type: "config-error", error: read(name, value).error };
    default:
      return { type: "other", name };
  }
}

function read<Name extends keyof EventMessages>(name: Name, bytes: Buffer): EventMessages[Name] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as in schema.ts
  return message(name).deserialize(bytes) as EventMessages[Name];
}
