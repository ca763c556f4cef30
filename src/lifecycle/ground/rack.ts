import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { schematicId } from "../../infra/schematic.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import type { Castle, ProxmoxHypervisor } from "../../spec/castle.ts";
import type { Secret } from "../../support/secret.ts";
import { dial } from "../../support/dial.ts";
import { firstToAccept } from "../../support/first-to-accept.ts";
import type { Endpoint } from "../../talos/client.ts";
import { rackGround as nodesOfRack } from "../../talos/ground.ts";
import type { Ground } from "./ground.ts";
import { NEIGHBOURS, neighboursIn } from "../../talos/neighbours.ts";

const API_PORT = 6443;
/** Ports that a Talos node, a Kubernetes API, a hypervisor, a router or a common host listens on. */
const TELLING_PORTS = [50_000, API_PORT, 22, 80, 443, 8006] as const;
/** Milliseconds that a host on the same network has to answer. */
const PATIENCE = 700;
/** Milliseconds that a control plane has before the next is tried beside it. */
const API_PATIENCE = 200;

/** A castle on real Proxmox hosts, reached directly from the network that this machine is on. */
export function rackGround(castle: Castle, hypervisor: ProxmoxHypervisor, token: Secret): Ground {
  const { endpoint, hosts, datastore, imageDatastore, bridge, insecure } = hypervisor;
  const schematic = schematicId(castle.talos.extensions);
  return {
    kind: "rack",
    proxmox: {
      endpoint,
      token,
      trust: insecure ? { kind: "insecure" } : { kind: "system" },
      hosts,
      datastore,
      imageDatastore,
      bridge,
    },
    nodes: nodesOfRack({ schematic, version: castle.talos.version }),
    reach: (host, port) => Promise.resolve({ host, port }),
    dial,
    // Raw frames are root's, and this machine may be behind a router: the nodes' own tables tell instead.
    holders: () => Promise.resolve(undefined),
    api: () => acceptingFirst([castle.network.vip, ...controlPlanes(castle).map(({ address }) => address)]),
    probes:
      "by TCP, and by ARP where this machine is on that network; a silent host behind a router is not seen",
    occupant: async (address) => {
      const answers = await Promise.all(TELLING_PORTS.map((port) => answersOn(address, port)));
      const port = TELLING_PORTS.find((_, index) => answers[index]);
      if (port !== undefined) return `a host that answers on port ${port}`;
      const mac = await resolvedMac(address);
      return mac === undefined ? undefined : `a host that answers ARP as ${mac}`;
    },
    announce: () => Promise.resolve(),
    platform: () => {
      const url = castle.gitops?.repository ?? "";
      return Promise.resolve({ repository: { inside: url, outside: url } });
    },
    siteUrls: (sites) => Promise.resolve(sites.map(({ host }) => `https://${host}/`)),
    of: (edited) => rackGround(edited, hypervisor, token),
    standIns: [],
  };
}

/** kubectl takes the server that is named first: one that accepts now, the VIP if it does. */
async function acceptingFirst(hosts: readonly string[]): Promise<readonly [Endpoint, ...Endpoint[]]> {
  const accepting = await firstToAccept(hosts, (host, signal) => dial(host, API_PORT, signal), {
    patience: API_PATIENCE,
    signal: AbortSignal.timeout(PATIENCE),
  }).catch(() => undefined);
  const first = accepting?.remoteAddress ?? hosts[0] ?? "";
  accepting?.destroy();
  const others = hosts.filter((host) => host !== first).map((host) => ({ host, port: API_PORT }));
  return [{ host: first, port: API_PORT }, ...others];
}

/** What the kernel learnt when the ports were tried; undefined also where there is no such table, or a router between. */
async function resolvedMac(address: string): Promise<string | undefined> {
  const table = await readFile(NEIGHBOURS, "utf8").catch(() => "");
  return neighboursIn(table).find((one) => one.address === address)?.mac;
}

/** Open or refused: either way a host is there. */
function answersOn(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", (error: NodeJS.ErrnoException) => settle(error.code === "ECONNREFUSED"));
  });
}
