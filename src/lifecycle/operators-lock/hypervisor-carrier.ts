import type { ProxmoxConnection } from "../../infra/connection.ts";
import { ProxmoxClient } from "../../infra/proxmox-client.ts";
import type { Carrier } from "./carrier.ts";

/*
 * A resource pool of Proxmox without members, whose comment is the claim. Making a pool is the one call that Proxmox
 * refuses to the second of two; so who takes over from a dead holder makes the pool with the next number, and the
 * highest number holds. A machine's own tags would not do: there may be no machine yet, and Terraform owns them.
 */

interface LockPool {
  readonly id: string;
  readonly number: number;
  readonly comment: string;
}

export function hypervisorCarrier(
  castle: string,
  connection: ProxmoxConnection,
  signal: AbortSignal,
): Carrier {
  const client = new ProxmoxClient(connection);
  const prefix = `castle-${castle}-lock-`;
  const pools = async (): Promise<readonly LockPool[]> => {
    const found = await client.pools(signal);
    return [...found]
      .flatMap(([id, comment]) => {
        const number = id.startsWith(prefix) ? Number(id.slice(prefix.length)) : Number.NaN;
        return Number.isInteger(number) ? [{ id, number, comment }] : [];
      })
      .toSorted((one, other) => other.number - one.number);
  };
  return {
    description: `a pool ${prefix}N on ${connection.endpoint}`,
    read: async () => {
      const [highest, ...lower] = await pools();
      if (highest === undefined) return undefined;
      return { text: highest.comment, version: [highest, ...lower].map(({ id }) => id).join(",") };
    },
    take: async (text, seen) => {
      const before = seen === undefined ? [] : seen.version.split(",");
      const last = Math.max(0, ...before.map((id) => Number(id.slice(prefix.length))));
      const own = `${prefix}${last + 1}`;
      if (!(await client.makePool(own, text, signal))) return undefined;
      // Two who saw different states have made different pools: whoever sees the other's withdraws.
      const strangers = (await pools()).filter(({ id }) => id !== own && !before.includes(id));
      if (strangers.length > 0) {
        await client.removePool(own, signal);
        return undefined;
      }
      for (const id of before) await client.removePool(id, signal);
      return own;
    },
    renew: async (text, { version }) =>
      (await client.describePool(version, text, signal)) ? version : undefined,
    // Without the run's signal: an interrupted run gives its lock back all the same.
    release: ({ version }) => client.removePool(version),
    close: () => client.close(),
  };
}
