import { controlPlanes } from "../../spec/control-planes.ts";
import type { RunningLab } from "../../lab/daemon/launch.ts";
import { dialMachine, holdersOnLan } from "../../lab/lan/dial.ts";
import type { Castle, LabHypervisor } from "../../spec/castle.ts";
import { Secret } from "../../support/secret.ts";
import { labGround as nodesOfLab } from "../../talos/ground.ts";
import type { Ground } from "./ground.ts";
import { type LabPlatformParts, labPlatform } from "./lab-platform.ts";
import { LAB_STAND_INS } from "./stand-ins.ts";

const API_PORT = 6443;

/** What lies on this machine and makes the ground more than one to look at. */
export interface LabGroundParts {
  /** Path of a Terraform CLI configuration that names a mirror with the provider. */
  readonly terraformConfig?: string | undefined;
  /** Asked when the platform is, because other commands need none of it. */
  readonly platform?: () => Promise<LabPlatformParts>;
}

/** A castle on a lab that is up. */
export function labGround(
  castle: Castle,
  hypervisor: LabHypervisor,
  lab: RunningLab,
  parts: LabGroundParts = {},
): Ground {
  const { terraformConfig, platform } = parts;
  const { descriptor, control } = lab;
  const { vip } = castle.network;
  const planes = controlPlanes(castle);
  return {
    kind: "lab",
    proxmox: {
      endpoint: descriptor.api.endpoint,
      token: new Secret(descriptor.api.token),
      trust: { kind: "certificate", pem: descriptor.api.certificate },
      hosts: hypervisor.hosts,
      datastore: hypervisor.datastore,
      imageDatastore: hypervisor.imageDatastore,
      bridge: hypervisor.bridge,
    },
    ...(terraformConfig === undefined ? {} : { terraformConfig }),
    nodes: nodesOfLab({ registry: descriptor.lan.registry, discovery: descriptor.lan.discovery }),
    reach: (address, port) =>
      control.call("forward", { name: `${address}:${port}`, targets: [{ address, port }] }),
    dial: (address, port, signal) => dialMachine(descriptor.lan.socket, { address, port }, { signal }),
    holders: (addresses, signal) => holdersOnLan(descriptor.lan.socket, addresses, { signal }),
    ...(descriptor.lan.acme === undefined ? {} : { roots: descriptor.lan.acme.roots }),
    api: async () => [
      await control.call("forward", {
        name: `${castle.name}-api`,
        targets: [vip, ...planes.map(({ address }) => address)].map((address) => ({
          address,
          port: API_PORT,
        })),
      }),
    ],
    probes: "by ARP, from the lab's network",
    occupant: async (address) => {
      const { present, mac } = await control.call("probe", { address });
      return present ? (mac ?? "a machine without a known MAC") : undefined;
    },
    announce: async (names) => {
      await control.call("hosts", { records: { ...names } });
    },
    platform: async () => labPlatform(castle, lab, await platform?.()),
    siteUrls: async (sites, ingress) => {
      if (ingress === undefined || sites.length === 0) return [];
      const behind = sites.map(({ name, host }) => ({ name, host, address: ingress }));
      const { port } = await control.call("sites", { sites: behind });
      return sites.map(({ name }) => `http://${name}.localhost:${port}/`);
    },
    of: (edited) => labGround(edited, hypervisor, lab, parts),
    standIns: LAB_STAND_INS,
  };
}
