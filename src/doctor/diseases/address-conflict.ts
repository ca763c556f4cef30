import type { Chart, Disease, Sought } from "../disease.ts";
import { type Examination, toldNodes } from "../examination.ts";
import { arpUnknown, cardName, ownerOf } from "../neighbourhood.ts";

/** The seed's ghost on the wire: connections reach now the one machine, now the other. */
export const addressConflict: Disease = {
  id: "address-conflict",
  title: "Two machines answer for one address",
  // Where nobody can ask by ARP, the nodes' own tables still tell what they were told.
  unknown: (examination) => (toldNodes(examination).length === 0 ? arpUnknown(examination) : undefined),
  diagnose: (chart) => {
    const { examination } = chart;
    if (examination === undefined) return [];
    const { lan } = examination;
    const holders = lan.silent === undefined ? lan.holders : undefined;
    return [...(holders ?? seenByNodes(examination))]
      .filter(([, macs]) => macs.length > 1)
      .map(([address, macs]) => conflict(chart, examination, address, macs));
  },
};

function conflict(chart: Chart, examination: Examination, address: string, macs: readonly string[]): Sought {
  const owner = ownerOf(chart, address);
  const rightful = examination.castle.nodes.find((node) => node.address === address);
  const stranger = macs.find((mac) => mac !== rightful?.mac) ?? "";
  const strangerNode = examination.castle.nodes.find(({ mac }) => mac === stranger);
  return {
    severity: "critical",
    object: owner === undefined ? address : `${owner} ${address}`,
    message: `${macs.length} machines answer for it: ${macs.map((mac) => cardName(examination, mac)).join(", ")}`,
    evidence: macs.map((mac) => `ARP: who has ${address}? ${cardName(examination, mac)}`),
    fix: "take the address away from the machine that it is not meant for, or that machine off the network",
    command:
      strangerNode === undefined
        ? `ip neigh; the switch's table of MAC addresses shows the port of ${stranger}`
        : `castle talosctl -- -n ${strangerNode.address} get addresses`,
    symptoms: owner === undefined ? [address] : [address, owner],
  };
}

/** Two nodes that take different machines for the holder of an address. */
function seenByNodes(examination: Examination): ReadonlyMap<string, readonly string[]> {
  const known = new Set([
    ...examination.castle.nodes.map(({ address }) => address),
    examination.castle.network.vip,
  ]);
  const seen = new Map<string, Set<string>>();
  for (const { neighbours = [] } of toldNodes(examination)) {
    for (const { address, mac, permanent } of neighbours ?? []) {
      if (!known.has(address) || permanent) continue;
      seen.set(address, (seen.get(address) ?? new Set()).add(mac));
    }
  }
  return new Map([...seen].map(([address, macs]) => [address, [...macs].sort()]));
}
