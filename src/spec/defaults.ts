import type { Role } from "./castle.ts";
import type { AddressRange, Cidr } from "./address.ts";

/** What a spec need not say. Addresses have defaults in the lab alone: on a rack castle would guess. */
export type HypervisorKind = "lab" | "proxmox";

export const LAB_CIDR = "192.168.1.0/24";
export const LAB_HOSTS: readonly string[] = ["pve1", "pve2", "pve3"];
export const LAB_COUNT: Readonly<Record<Role, number>> = { controlplane: 3, worker: 2 };

/** Where castle's own images lie where the spec names no registry: what a lab serves; no host is called castle.local. */
const LAB_REGISTRY = "castle.local";

/** One of castle's own images, by its name and version. */
export function ownImage(registry: string | undefined, name: string, version: string): string {
  return `${registry ?? LAB_REGISTRY}/${name}:${version}`;
}

/** Offsets into the lab's network; with the default network the addresses of the seed. */
const LAB_GATEWAY = 1;
const LAB_VIP = 210;
const LAB_CONTROL_PLANES = 211;
const LAB_WORKERS = 214;
const LAB_POOL = { first: 230, last: 239 };

export function labGateway(network: Cidr): number {
  return network.base + LAB_GATEWAY;
}

export function labVip(network: Cidr): number {
  return network.base + LAB_VIP;
}

export function labControlPlanes(network: Cidr): number {
  return network.base + LAB_CONTROL_PLANES;
}

/** Behind the control planes where these reach into the workers' usual place; otherwise it never moves. */
export function labWorkers(network: Cidr, controlPlanes: readonly number[]): number {
  const usual = network.base + LAB_WORKERS;
  const taken = controlPlanes.filter((address) => address >= usual && address < usual + LAB_COUNT.worker);
  return taken.length === 0 ? usual : Math.max(...controlPlanes) + 1;
}

export function labPool(network: Cidr): AddressRange {
  return { first: network.base + LAB_POOL.first, last: network.base + LAB_POOL.last };
}

/** The site of a lab's castle that names none. */
export const LAB_SITE = "blog";

export interface NodeSize {
  readonly cores: number;
  readonly memory: string;
  readonly disk: string;
}

/**
 * The lab's nodes are containers on one machine: memory is a limit rather than a reservation (a control plane
 * uses about 0.6 GiB), and the disk is a sparse file.
 */
export const DEFAULT_SIZE: Readonly<Record<HypervisorKind, Readonly<Record<Role, NodeSize>>>> = {
  lab: {
    controlplane: { cores: 2, memory: "2GiB", disk: "10GiB" },
    worker: { cores: 2, memory: "2GiB", disk: "10GiB" },
  },
  proxmox: {
    controlplane: { cores: 2, memory: "4GiB", disk: "20GiB" },
    worker: { cores: 4, memory: "8GiB", disk: "50GiB" },
  },
};

/** MiB. Below this a node does not come up; for a rack they are the minimum of Talos' system requirements. */
export const LEAST_MEMORY: Readonly<Record<HypervisorKind, Readonly<Record<Role, number>>>> = {
  lab: { controlplane: 1024, worker: 512 },
  proxmox: { controlplane: 2048, worker: 1024 },
};

/** GiB */
export const LEAST_DISK: Readonly<Record<HypervisorKind, number>> = { lab: 4, proxmox: 10 };
