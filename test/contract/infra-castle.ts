import type { Castle, CastleNode } from "../../src/spec/castle.ts";

function node(role: CastleNode["role"], index: number): CastleNode {
  return {
    name: role === "controlplane" ? `fortress-cp-${index}` : `fortress-worker-${index}`,
    role,
    address: `192.168.1.${(role === "controlplane" ? 210 : 213) + index}`,
    mac: `BC:24:11:00:0${role === "controlplane" ? 0 : 1}:0${index}`,
    vmid: (role === "controlplane" ? 8100 : 8103) + index,
    host: `pve${((index - 1) % 3) + 1}`,
    cores: role === "controlplane" ? 2 : 4,
    memory: role === "controlplane" ? 4096 : 8192,
    disk: role === "controlplane" ? 20 : 50,
    patches: [],
  };
}

/** Five machines on three hosts, as the seed's castle has them. */
export function testCastle(change: Partial<Castle> = {}): Castle {
  return {
    name: "fortress",
    network: {
      cidr: "192.168.1.0/24",
      prefix: 24,
      gateway: "192.168.1.1",
      vip: "192.168.1.210",
      dns: ["192.168.1.1"],
      ntp: [],
    },
    nodes: [
      ...[1, 2, 3].map((index) => node("controlplane", index)),
      ...[1, 2].map((index) => node("worker", index)),
    ],
    hypervisor: {
      kind: "lab",
      lab: "fortress",
      hosts: ["pve1", "pve2", "pve3"],
      datastore: "local-lvm",
      imageDatastore: "local",
      bridge: "vmbr0",
    },
    talos: { version: "v1.11.5", patches: [], extensions: [] },
    kubernetes: { version: "v1.34.4" },
    ...change,
  };
}
