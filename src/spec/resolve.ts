import { formatAddress } from "./address.ts";
import type { Castle, CastleNode, Hypervisor, Network, Role } from "./castle.ts";
import { DEFAULT_SIZE, LAB_HOSTS, ownImage } from "./defaults.ts";
import { macAddresses, nodeName, vmId } from "./identity.ts";
import type { Outline } from "./outline.ts";
import { resolvePlatform } from "./resolve-platform.ts";
import type { Spec } from "./schema.ts";
import { parseSize } from "./size.ts";
import { DEFAULT_KUBERNETES, DEFAULT_TALOS } from "./versions.ts";

/** The castle of a spec without faults: every default applied, every derived name, address and id filled in. */
export function resolve(spec: Spec, outline: Outline): Castle {
  const hypervisor = resolveHypervisor(spec);
  const { discovery, patches, extensions, version } = spec.talos ?? {};
  return {
    name: spec.castle,
    network: resolveNetwork(spec, outline),
    nodes: resolveNodes(spec, outline, hypervisor),
    hypervisor,
    talos: {
      version: version ?? DEFAULT_TALOS,
      patches: patches ?? [],
      extensions: extensions ?? [],
      ...(discovery === undefined ? {} : { discovery }),
    },
    kubernetes: { version: spec.kubernetes?.version ?? DEFAULT_KUBERNETES },
    ...(spec.registry === undefined ? {} : { registry: spec.registry }),
    ...resolvePlatform(spec, outline),
  };
}

function resolveNetwork(spec: Spec, outline: Outline): Network {
  const cidr = known(outline.cidr);
  const gateway = formatAddress(known(outline.gateway));
  const { dns, ntp, vlan } = spec.network ?? {};
  const vipWarden = resolveWarden(spec, outline);
  return {
    cidr: `${formatAddress(cidr.base)}/${cidr.prefix}`,
    prefix: cidr.prefix,
    gateway,
    vip: formatAddress(known(outline.vip)),
    ...(vipWarden === undefined ? {} : { vipWarden }),
    dns: dns ?? [gateway],
    ntp: ntp ?? [],
    ...(vlan === undefined ? {} : { vlan }),
  };
}

/** A VIP has to have somewhere to go. */
function resolveWarden({ network, registry }: Spec, { kind, controlPlanes }: Outline): string | undefined {
  if (network?.vipWarden === "off" || known(controlPlanes.addresses).length < 2) return undefined;
  const own = kind === "lab" || registry !== undefined;
  return network?.vipWarden ?? (own ? ownImage(registry, "vip-warden", "v1") : undefined);
}

function resolveHypervisor({ castle, hypervisor }: Spec): Hypervisor {
  if (hypervisor !== "lab" && hypervisor.proxmox !== undefined) {
    const { endpoint, node, nodes, datastore, imageDatastore, bridge, insecure } = hypervisor.proxmox;
    return {
      kind: "proxmox",
      endpoint: endpoint.replace(/\/$/, ""),
      hosts: nodes ?? [known(node)],
      datastore: datastore ?? "local-lvm",
      imageDatastore: imageDatastore ?? "local",
      bridge: bridge ?? "vmbr0",
      insecure: insecure ?? false,
    };
  }
  const lab = hypervisor === "lab" ? undefined : hypervisor.lab;
  return {
    kind: "lab",
    lab: lab?.name ?? castle,
    hosts: lab?.hosts ?? LAB_HOSTS,
    datastore: "local-lvm",
    imageDatastore: "local",
    bridge: "vmbr0",
  };
}

function resolveNodes(spec: Spec, outline: Outline, { kind, hosts }: Hypervisor): CastleNode[] {
  const groups = [outline.controlPlanes, outline.workers].map(({ role, addresses }) =>
    known(addresses).map((address, index) => ({
      role,
      index,
      address,
      name: nodeName(spec.castle, role, index),
    })),
  );
  const nodes = groups.flat();
  const macs = macAddresses(
    spec.castle,
    nodes.map(({ name }) => name),
  );
  const from = spec.hypervisor === "lab" ? undefined : spec.hypervisor.proxmox?.vmIds?.from;
  return nodes.map(({ role, index, address, name }) => {
    const usual = DEFAULT_SIZE[kind][role];
    const told = role === "controlplane" ? spec.nodes?.controlPlanes : spec.nodes?.workers;
    return {
      name,
      role,
      address: formatAddress(address),
      mac: known(macs.get(name)),
      vmid: vmId(spec.castle, { role, index }, from),
      host: hostOf(hosts, role, index),
      cores: told?.cores ?? usual.cores,
      memory: known(parseSize(told?.memory ?? usual.memory)),
      disk: known(parseSize(told?.disk ?? usual.disk)) / 1024,
      patches: spec.nodes?.patches?.[name] ?? [],
    };
  });
}

/**
 * Control planes go to the hosts in turn, workers in the opposite order: the last host, which has the fewest
 * control planes, gets the first worker. A node's host depends on nothing but its own number and the hosts, so
 * that growing one group moves no machine of the other.
 */
function hostOf(hosts: readonly string[], role: Role, index: number): string {
  const turn = index % hosts.length;
  return known(hosts[role === "controlplane" ? turn : hosts.length - 1 - turn]);
}

/** A spec without faults has told all of these; anything else is a fault of castle itself. */
function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("the checks let a spec pass that cannot be resolved");
  return value;
}
