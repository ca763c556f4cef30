import { z } from "zod";
import type { CallSettings, TalosClient } from "../../talos/client.ts";
import { serviceLog } from "../../talos/logs.ts";
import { parsedJson } from "../../support/json.ts";

/** Lines of the log that are looked at, and milliseconds that what they tell counts for. */
const TAIL = 200;
const RECENT = 5 * 60_000;

/** etcd's own words for a disk that keeps it waiting: server/storage/wal and etcdserver/raft.go of v3.6. */
const SLOW = /^slow fdatasync|^leader failed to send out heartbeat on time; took too long/;

const lineShape = z.object({
  ts: z.string(),
  msg: z.string(),
  took: z.string().optional(),
  "expected-duration": z.string().optional(),
  "exceeded-duration": z.string().optional(),
});

/** What a member's etcd logged of a slow disk within the last minutes. @throws CastleError talos/… */
export async function slowDiskLines(client: TalosClient, settings: CallSettings): Promise<readonly string[]> {
  const found: string[] = [];
  const since = Date.now() - RECENT;
  for await (const line of serviceLog(client, "etcd", { ...settings, tail: TAIL })) {
    // Talos may put its own words before etcd's JSON.
    const told = lineShape.safeParse(parsedJson(line.slice(Math.max(0, line.indexOf("{"))))).data;
    if (told === undefined || !SLOW.test(told.msg) || Date.parse(told.ts) < since) continue;
    const took = told.took ?? told["exceeded-duration"];
    found.push(`${told.ts} ${told.msg}${took === undefined ? "" : ` (${took})`}`);
  }
  return found;
}
