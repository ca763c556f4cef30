import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

export interface LogSettings extends CallSettings {
  /** Go on as lines are written; ends at `signal`. */
  readonly follow?: boolean;
  /** How many past lines; all unless told. */
  readonly tail?: number;
}

/** The past lines of a service's log, all at once. @throws CastleError talos/… */
export async function logLines(
  client: TalosClient,
  service: string,
  settings: Omit<LogSettings, "follow">,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of serviceLog(client, service, settings)) lines.push(line);
  return lines;
}

/**
 * The log of one of Talos' own services (machined, apid, etcd, kubelet …), line by line.
 * @throws CastleError talos/…
 */
export async function* serviceLog(
  client: TalosClient,
  service: string,
  { follow, tail, ...settings }: LogSettings = {},
): AsyncGenerator<string, void, undefined> {
  const request = {
    namespace: "system",
    id: service,
    driver: "CONTAINERD" as const,
    follow: follow ?? false,
    tailLines: tail ?? -1,
  };
  const decoder = new TextDecoder();
  let rest = "";
  for await (const { bytes } of client.stream(calls.logs, request, settings)) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
