import { parseAddress } from "../../spec/address.ts";
import type { Chart, Disease, Sought } from "../disease.ts";
import type { Examination } from "../examination.ts";
import { type AddressPool, addressPools } from "../manifests/address-pools.ts";
import { services } from "../manifests/services.ts";
import { arpUnknown, cardName, holdersOf } from "../neighbourhood.ts";
import { editCommand } from "../remedy.ts";

/** Sooner or later a Service gets an address that somebody else has. */
export const poolClash: Disease = {
  id: "pool-clash",
  title: "A pool of load balancer addresses holds one that somebody else has",
  reads: ["IPAddressPool", "Service"],
  unknown: arpUnknown,
  diagnose: (chart) => {
    const { examination } = chart;
    const pools = addressPools(chart.manifests);
    const given = new Set(services(chart.manifests).flatMap(({ addresses }) => addresses));
    return [
      ...overlapping(chart, pools),
      ...pools.flatMap((pool) => [
        ...(examination === undefined ? [] : ofSpec(chart, pool, examination)),
        ...(examination === undefined ? [] : ofStrangers(chart, pool, examination, given)),
      ]),
    ];
  },
};

function overlapping(chart: Chart, pools: readonly AddressPool[]): readonly Sought[] {
  return pools.flatMap((pool, index) =>
    pools
      .slice(index + 1)
      .filter((other) =>
        pool.ranges.some((one) => other.ranges.some((two) => one.first <= two.last && two.first <= one.last)),
      )
      .map((other) => ({
        severity: "critical" as const,
        object: pool.object,
        message: `it shares addresses with ${other.object}`,
        evidence: [`${pool.manifest.origin}: ${pool.text}`, `${other.manifest.origin}: ${other.text}`],
        fix: "let every address lie in one pool",
        command: editCommand(chart, other.manifest),
      })),
  );
}

/** Addresses that the spec gave to nodes, VIP or gateway. */
function ofSpec(chart: Chart, pool: AddressPool, { castle }: Examination): readonly Sought[] {
  const { nodes, network } = castle;
  const taken = [
    ...nodes.map(({ name, address }) => ({ who: name, address })),
    { who: "the VIP", address: network.vip },
    { who: "the gateway", address: network.gateway },
  ];
  return taken
    .filter(({ address }) => holds(pool, address))
    .map(({ who, address }) => ({
      severity: "critical",
      object: pool.object,
      message: `it holds ${address}, which is ${who}'s`,
      evidence: [`${pool.manifest.origin}: ${pool.text}`, `castle.yaml: ${who} ${address}`],
      fix: "take the address out of the pool",
      command: editCommand(chart, pool.manifest),
    }));
}

/** Addresses that no Service has, and somebody answers for. */
function ofStrangers(
  chart: Chart,
  pool: AddressPool,
  examination: Examination,
  given: ReadonlySet<string>,
): readonly Sought[] {
  const { lan, castle } = examination;
  if (lan.silent !== undefined) return [];
  const known = new Set([
    ...castle.nodes.map(({ address }) => address),
    castle.network.vip,
    castle.network.gateway,
  ]);
  return [...(lan.holders?.keys() ?? [])].flatMap((address): Sought[] => {
    const [mac, ...others] = holdersOf(chart, address) ?? [];
    // Two at once are a conflict, which is told as such.
    if (mac === undefined || others.length > 0 || given.has(address) || known.has(address)) return [];
    if (!holds(pool, address)) return [];
    return [
      {
        severity: "critical",
        object: address,
        message: `it is in ${pool.object}, no Service has it, and ${cardName(examination, mac)} answers for it`,
        evidence: [
          `${pool.object}: ${pool.text}`,
          `no Service of type LoadBalancer has ${address}`,
          `ARP: who has ${address}? ${cardName(examination, mac)}`,
        ],
        fix: "give that machine another address, or take this one out of the pool",
        command: editCommand(chart, pool.manifest),
      },
    ];
  });
}

function holds({ ranges }: AddressPool, address: string): boolean {
  const number = parseAddress(address);
  return number !== undefined && ranges.some(({ first, last }) => first <= number && number <= last);
}
