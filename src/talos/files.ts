import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

/**
 * A file of a node, whole, as text; also one that the kernel makes up, such as /proc/net/arp.
 * @throws CastleError talos/…
 */
export async function readNodeFile(
  client: TalosClient,
  path: string,
  settings: CallSettings = {},
): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const { bytes } of client.stream(calls.read, { path }, settings)) chunks.push(bytes);
  return Buffer.concat(chunks).toString("utf8");
}
