import type { CallSettings, TalosClient } from "./client.ts";
import { readNodeFile } from "./files.ts";

/** Whom a node takes for the holder of an address, without asking again for a while. */
export interface NeighbourEntry {
  readonly address: string;
  /** Upper case. */
  readonly mac: string;
  /** Somebody wrote it by hand: it never goes away by itself. */
  readonly permanent: boolean;
}

const COMPLETE = 0x2;
const PERMANENT = 0x4;

/** The kernel's table of IPv4 neighbours, entries without an answer left out. @throws CastleError talos/… */
export async function neighbourTable(
  client: TalosClient,
  settings: CallSettings = {},
): Promise<readonly NeighbourEntry[]> {
  return neighboursIn(await readNodeFile(client, NEIGHBOURS, settings));
}

/** Where Linux shows the table. */
export const NEIGHBOURS = "/proc/net/arp";

/** @param table as the kernel shows it: a headline, then address, kind, flags, MAC */
export function neighboursIn(table: string): readonly NeighbourEntry[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line): NeighbourEntry[] => {
      const [address, , flags, mac] = line.trim().split(/\s+/);
      if (address === undefined || mac === undefined || (Number(flags) & COMPLETE) === 0) return [];
      return [{ address, mac: mac.toUpperCase(), permanent: (Number(flags) & PERMANENT) !== 0 }];
    });
}
