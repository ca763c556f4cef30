import { soleAnswer } from "./answer.ts";
import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

/** Milliseconds that a whole database may take on its way. */
const TRANSFER_DEADLINE = 600_000;
/** Bytes a message; gRPC takes 4 MiB at most unless told. */
const PART = 512 * 1024;

/**
 * The whole etcd as the asked control plane holds it: the database's file and, behind it, its SHA-256. Whoever keeps it
 * checks that: a stream that breaks off may end like one that is whole.
 * @throws CastleError talos/…
 */
export async function etcdSnapshot(client: TalosClient, settings: CallSettings = {}): Promise<Buffer> {
  const parts: Buffer[] = [];
  const given = { deadline: TRANSFER_DEADLINE, ...settings };
  for await (const { bytes } of client.stream(calls.etcdSnapshot, {}, given)) parts.push(bytes);
  return Buffer.concat(parts);
}

/**
 * Gives a control plane without etcd data a snapshot; `bootstrap` with `recover` then starts etcd from it.
 * @throws CastleError talos/not-ready while the node cannot take it yet: ask again; talos/…
 */
export async function etcdRecover(
  client: TalosClient,
  snapshot: Uint8Array,
  settings: CallSettings = {},
): Promise<void> {
  const given = { deadline: TRANSFER_DEADLINE, ...settings };
  soleAnswer(client, "EtcdRecover", await client.upload(calls.etcdRecover, partsOf(snapshot), given));
}

function* partsOf(snapshot: Uint8Array): Generator<{ readonly bytes: Uint8Array }> {
  for (let at = 0; at < snapshot.byteLength; at += PART) yield { bytes: snapshot.subarray(at, at + PART) };
}
