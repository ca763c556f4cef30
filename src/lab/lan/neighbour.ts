import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { run } from "../../support/run.ts";
import { poll } from "../../support/poll.ts";

export interface Neighbour {
  readonly present: boolean;
  readonly mac?: string | undefined;
}

/**
 * Asks by ARP whether anybody holds an IPv4 address on the networks of the namespace that this process runs in.
 * Nobody having answered within `within` milliseconds means no.
 */
export async function findNeighbour(address: string, within = 1_000): Promise<Neighbour> {
  const own = Object.values(networkInterfaces())
    .flatMap((cards) => cards ?? [])
    .find((card) => card.address === address);
  if (own !== undefined) return { present: true, mac: own.mac };
  // An old entry proves nothing: its machine may be gone.
  await run("ip", ["neigh", "flush", "to", address], { accept: [1, 2, 255], timeout: 5_000 });
  const socket = createSocket("udp4");
  try {
    // Any datagram makes the kernel ask for the address; port 9 discards it.
    const sent = await new Promise<boolean>((resolve) => {
      socket.on("error", () => resolve(false));
      socket.send("", 9, address, (error) => resolve(error === null));
    });
    if (!sent) return { present: false };
    return await poll(() => look(address), { every: 20, within, onTimeout: () => new NobodyAnswered() });
  } catch (error) {
    if (error instanceof NobodyAnswered) return { present: false };
    throw error;
  } finally {
    socket.close();
  }
}

class NobodyAnswered extends Error {}

/** Undefined: not settled yet. An address for which the kernel made no entry stays unsettled until the deadline. */
async function look(address: string): Promise<Neighbour | undefined> {
  const table = await readFile("/proc/net/arp", "utf8");
  for (const line of table.split("\n").slice(1)) {
    const [ip, , flags, mac] = line.split(/\s+/);
    if (ip === address && flags !== undefined && (Number(flags) & 0x2) !== 0) return { present: true, mac };
  }
  return undefined;
}
