import { ingressAddress } from "../../platform/pool.ts";
import { plain, secure } from "../../platform/entry-points.ts";
import { TRAEFIK_NAMESPACE, TRAEFIK_SERVICE } from "../../platform/traefik.ts";
import { formatAddress, parseRange } from "../../spec/address.ts";
import type { Castle } from "../../spec/castle.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import type { Door, HeldCertificate, LanExamination, NameAnswer } from "../examination.ts";
import type { ClusterObjects } from "../manifests/cluster-objects.ts";
import { services } from "../manifests/services.ts";
import type { Bedside, Lan } from "./bedside.ts";
import { knock, shownCertificate, visitPage, withinPatience } from "./door.ts";
import { askName } from "./name-query.ts";

/** How many of a pool's addresses are asked for: a pool is rarely longer, and nobody has to wait for a network's worth. */
const MOST = 40;
const DNS = 53;
/** How often an address is asked for again that nobody answers for. */
const AGAIN = 2;

/** What nodes show to who connects: each has its own certificate, and its own end. */
const SERVERS = { "kube-apiserver": 6443, etcd: 2379, kubelet: 10_250 } as const;

/** What a visitor on the castle's network meets, asked of everybody at once. */
export async function examineLan(
  { castle, lan, signal }: Pick<Bedside, "castle" | "lan" | "signal">,
  cluster: Promise<ClusterObjects | { readonly silent: string }>,
): Promise<LanExamination> {
  const known = ingressDoors(castle);
  const [holders, ingress, others, names] = await Promise.all([
    holdersOf(lan, ownAddresses(castle, known), signal),
    Promise.all(known.map((door) => tryDoor(castle, lan, door, signal))),
    otherDoors(cluster, known).then(async (doors) => ({
      doors: await Promise.all(doors.map((door) => tryDoor(castle, lan, door, signal))),
      // A pool of somebody else's: its addresses are not in the spec.
      holders: await holdersOf(lan, foreign(castle, doors), signal),
    })),
    Promise.all((castle.sites ?? []).map(({ host }) => nameOf(castle, lan, host, signal))),
  ]);
  return {
    holders:
      holders === undefined
        ? undefined
        : new Map([...holders, ...(others.holders ?? new Map<string, string[]>())]),
    doors: [...ingress, ...others.doors],
    names,
  };
}

/** Certificates of the control planes' and nodes' own servers. */
export async function nodeCertificates({
  castle,
  lan,
  signal,
}: Pick<Bedside, "castle" | "lan" | "signal">): Promise<readonly HeldCertificate[]> {
  const planes = new Set(controlPlanes(castle).map(({ name }) => name));
  const shown = await Promise.all(
    castle.nodes.flatMap(({ name, address }) =>
      Object.entries(SERVERS)
        .filter(([server]) => server === "kubelet" || planes.has(name))
        .map(([server, port]) =>
          shownCertificate(lan, { address, port, object: `${server} on ${name}` }, signal),
        ),
    ),
  );
  return shown.filter((one) => one !== undefined);
}

/**
 * Who cannot be asked in time is not known. An address that somebody should hold is asked for again where nobody answered:
 * a load balancer's is answered for by a program, which on a busy node is late.
 */
async function holdersOf(
  lan: Lan,
  { addresses, held }: { readonly addresses: readonly string[]; readonly held: readonly string[] },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  if (addresses.length === 0) return new Map();
  try {
    const first = await lan.holders(addresses, withinPatience(lan, signal));
    if (first === undefined) return undefined;
    const holders = new Map(first);
    for (let time = 0; time < AGAIN; time += 1) {
      const silent = held.filter((address) => holders.get(address)?.length === 0);
      const found = silent.length === 0 ? undefined : await lan.holders(silent, withinPatience(lan, signal));
      if (found === undefined) break;
      for (const [address, macs] of found) holders.set(address, macs);
    }
    return holders;
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

interface KnownDoor extends Pick<Door, "service" | "address" | "port"> {
  /** Sites are behind it. */
  readonly pages?: "plain" | "secure";
}

/** The ingress is known from the spec: it is tried also where the API is silent. */
function ingressDoors(castle: Castle): readonly KnownDoor[] {
  const address =
    castle.gitops === undefined || castle.ingress === undefined ? undefined : ingressAddress(castle);
  if (address === undefined) return [];
  const service = `${TRAEFIK_NAMESPACE}/${TRAEFIK_SERVICE}`;
  const tls = castle.ingress?.tls !== undefined;
  return [
    { service, address, port: plain.outside, ...(tls ? {} : { pages: "plain" as const }) },
    ...(tls ? [{ service, address, port: secure.outside, pages: "secure" as const }] : []),
  ];
}

async function otherDoors(
  cluster: Promise<ClusterObjects | { readonly silent: string }>,
  known: readonly KnownDoor[],
): Promise<readonly KnownDoor[]> {
  const told = await cluster;
  if (told.silent !== undefined) return [];
  return services(told.objects).flatMap(({ manifest, addresses, ports }) =>
    addresses.flatMap((address) =>
      ports
        .filter(
          ({ protocol, port }) =>
            protocol === "TCP" && !known.some((one) => one.address === address && one.port === port),
        )
        .map(({ port }) => ({ service: `${manifest.namespace}/${manifest.name}`, address, port })),
    ),
  );
}

async function tryDoor(castle: Castle, lan: Lan, door: KnownDoor, signal: AbortSignal): Promise<Door> {
  const { service, address, port, pages } = door;
  const refused = await knock(lan, { address, port }, signal);
  const visited =
    refused !== undefined || pages === undefined
      ? []
      : await Promise.all(
          (castle.sites ?? []).map(({ host }) =>
            visitPage(lan, { address, port, host, secure: pages === "secure" }, signal),
          ),
        );
  return { service, address, port, refused, pages: visited };
}

async function nameOf(castle: Castle, lan: Lan, host: string, signal: AbortSignal): Promise<NameAnswer> {
  const server = castle.network.dns[0] ?? castle.network.gateway;
  try {
    const connection = await lan.dial(server, DNS, withinPatience(lan, signal));
    connection.setTimeout(lan.patience, () => connection.destroy(new Error("it did not answer in time")));
    return { host, server, addresses: await askName(connection, host), failed: undefined };
  } catch (error) {
    if (signal.aborted) throw error;
    return { host, server, addresses: [], failed: error instanceof Error ? error.message : String(error) };
  }
}

/** Every address that the spec gives to somebody, and the pool's. */
function ownAddresses({ nodes, network, loadBalancer }: Castle, doors: readonly KnownDoor[]) {
  const held = [
    ...nodes.map(({ address }) => address),
    network.vip,
    ...new Set(doors.map(({ address }) => address)),
  ];
  return { held, addresses: [...new Set([...held, ...poolAddresses(loadBalancer?.pool)])] };
}

function foreign(castle: Castle, doors: readonly KnownDoor[]) {
  const own = new Set(ownAddresses(castle, []).addresses);
  const addresses = [...new Set(doors.map(({ address }) => address))]
    .filter((address) => !own.has(address))
    .slice(0, MOST);
  return { addresses, held: addresses };
}

export function poolAddresses(pool: string | undefined): readonly string[] {
  const range = pool === undefined ? undefined : parseRange(pool);
  if (range === undefined) return [];
  const length = Math.min(range.last - range.first + 1, MOST);
  return Array.from({ length: Math.max(0, length) }, (_, index) => formatAddress(range.first + index));
}
