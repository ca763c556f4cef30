import { soleAnswer } from "./answer.ts";
import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";
import { readNodeFile } from "./files.ts";

/**
 * A node's clock, to the second: when it was booted by its own clock, and how long ago that was.
 * @throws CastleError talos/…
 */
export async function nodeClock(client: TalosClient, settings: CallSettings = {}): Promise<Date | undefined> {
  const [stat, uptime] = await Promise.all([
    client.call(calls.systemStat, {}, settings),
    readNodeFile(client, "/proc/uptime", settings),
  ]);
  const seconds = Number(soleAnswer(client, "SystemStat", stat).bootTime) + Number.parseFloat(uptime);
  return Number.isFinite(seconds) ? new Date(seconds * 1000) : undefined;
}
