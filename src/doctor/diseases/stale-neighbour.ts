import type { Disease, Sought } from "../disease.ts";
import { toldNodes } from "../examination.ts";
import { arpUnknown, cardName, holdersOf, ownerOf } from "../neighbourhood.ts";

/** What the seed moved a whole castle for: a neighbour that still sends to who had the address before. */
export const staleNeighbour: Disease = {
  id: "stale-neighbour",
  title: "A node sends to a machine that does not hold the address any more",
  unknown: arpUnknown,
  diagnose: (chart) => {
    const { examination } = chart;
    if (examination === undefined) return [];
    return toldNodes(examination).flatMap(({ node, neighbours }) =>
      (neighbours ?? []).flatMap(({ address, mac, permanent }): Sought[] => {
        // Where several answer, a neighbour can know only one of them: that is the conflict's to tell.
        const [holder, ...others] = holdersOf(chart, address) ?? [];
        if (holder === undefined || others.length > 0 || holder === mac) return [];
        const owner = ownerOf(chart, address);
        return [
          {
            severity: permanent ? "critical" : "warning",
            object: node.name,
            message: `it sends what is for ${owner ?? "somebody"} at ${address} to ${cardName(examination, mac)}, who does not hold it`,
            evidence: [
              `/proc/net/arp of ${node.name}: ${address} is at ${mac}${permanent ? ", for ever" : ""}`,
              `ARP: who has ${address}? ${cardName(examination, holder)}`,
            ],
            fix: permanent
              ? "somebody wrote the entry by hand: it stays until the machine is restarted"
              : "the entry goes with the next connection that fails; a restart of the machine makes it go at once",
            command: `castle talosctl -- -n ${node.address} reboot`,
          },
        ];
      }),
    );
  },
};
