import { gunzipSync } from "node:zlib";
import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";
import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

/**
 * A fresh administrator's kubeconfig, made by a control plane; its server is the castle's endpoint on the VIP.
 * @throws CastleError talos/unsupported from a worker, talos/malformed, talos/…
 */
export async function kubeconfig(client: TalosClient, settings: CallSettings = {}): Promise<Secret> {
  const chunks: Buffer[] = [];
  for await (const { bytes } of client.stream(calls.kubeconfig, {}, { deadline: 10_000, ...settings })) {
    chunks.push(bytes);
  }
  const content = firstTarEntry(Buffer.concat(chunks));
  if (content === undefined) {
    throw new CastleError("talos/malformed", {
      message: `${client.name} sent a kubeconfig that cannot be unpacked`,
    });
  }
  return new Secret(content);
}

const BLOCK = 512;
const SIZE_FIELD = { start: 124, end: 136 } as const;

/** Talos sends a gzipped tar of one file, without padding or an end mark, so a strict tar reader would refuse it. */
function firstTarEntry(archive: Buffer): string | undefined {
  try {
    const tar = gunzipSync(archive);
    const size = Number.parseInt(tar.toString("ascii", SIZE_FIELD.start, SIZE_FIELD.end), 8);
    if (!(size > 0) || tar.length < BLOCK + size) return undefined;
    return tar.toString("utf8", BLOCK, BLOCK + size);
  } catch {
    return undefined;
  }
}
