import { describe, expect, it } from "vitest";
import { fortress, fortressNode } from "../../test/fixtures/talos/castle.ts";
import type { Castle, CastleNode, MachinePatch } from "../spec/castle.ts";
import { labGround, rackGround } from "./ground.ts";
import { patches } from "./patches.ts";

const lab = labGround({ registry: "http://192.168.1.1:5000", discovery: "http://192.168.1.1:3000" });
const rack = rackGround({ schematic: "3765", version: "v1.11.5" });
const controlPlane = fortressNode("controlplane", 1);
const worker = fortressNode("worker", 1);

function machineNetwork(patch: MachinePatch | undefined): unknown {
  const machine = patch?.["machine"];
  return typeof machine === "object" && machine !== null && "network" in machine
    ? machine.network
    : undefined;
}

function ours(castle: Castle, node: CastleNode, ground = lab as typeof lab | typeof rack) {
  return patches(castle, node, ground)[0];
}

describe("patches", () => {
  it("make a control plane of a lab", () => {
    expect(patches(fortress, controlPlane, lab)).toMatchInlineSnapshot(`
      [
        {
          "cluster": {
            "apiServer": {
              "certSANs": [
                "127.0.0.1",
                "192.168.1.211",
              ],
            },
            "controllerManager": {
              "extraArgs": {
                "authentication-tolerate-lookup-failure": "true",
                "node-monitor-grace-period": "20s",
                "node-monitor-period": "2s",
              },
            },
            "discovery": {
              "enabled": true,
              "registries": {
                "kubernetes": {
                  "disabled": true,
                },
                "service": {
                  "disabled": false,
                  "endpoint": "http://192.168.1.1:3000",
                },
              },
            },
            "scheduler": {
              "extraArgs": {
                "authentication-tolerate-lookup-failure": "true",
              },
            },
          },
          "machine": {
            "certSANs": [
              "127.0.0.1",
              "192.168.1.210",
            ],
            "kubelet": {
              "extraConfig": {
                "evictionHard": {
                  "imagefs.available": "512Mi",
                  "memory.available": "64Mi",
                  "nodefs.available": "512Mi",
                  "nodefs.inodesFree": "1%",
                },
                "httpCheckFrequency": "1s",
                "imageGCHighThresholdPercent": 100,
                "nodeLeaseDurationSeconds": 20,
                "nodeStatusUpdateFrequency": "5s",
              },
            },
            "network": {
              "hostname": "fortress-cp-1",
              "interfaces": [
                {
                  "addresses": [
                    "192.168.1.211/24",
                  ],
                  "deviceSelector": {
                    "hardwareAddr": "bc:24:11:00:00:d3",
                  },
                  "dhcp": false,
                  "routes": [
                    {
                      "gateway": "192.168.1.1",
                      "network": "0.0.0.0/0",
                    },
                  ],
                  "vip": {
                    "ip": "192.168.1.210",
                  },
                },
              ],
              "nameservers": [
                "192.168.1.1",
              ],
            },
            "registries": {
              "mirrors": {
                "*": {
                  "endpoints": [
                    "http://192.168.1.1:5000",
                  ],
                },
              },
            },
            "time": {
              "disabled": true,
            },
          },
        },
      ]
    `);
  });

  it("give workers no VIP and no certificate of the API", () => {
    const patch = ours(fortress, worker);
    expect(JSON.stringify(patch)).not.toContain("192.168.1.210");
    expect(patch).not.toHaveProperty("cluster.apiServer");
    expect(patch).not.toHaveProperty("cluster.controllerManager");
  });

  it("give control planes the VIP's warden, and only them", () => {
    const castle = { ...fortress, network: { ...fortress.network, vipWarden: "castle.local/vip-warden:v1" } };
    expect(ours(castle, controlPlane)).toMatchObject({
      machine: {
        pods: [
          {
            metadata: { name: "vip-warden", namespace: "kube-system" },
            spec: {
              hostNetwork: true,
              containers: [
                {
                  image: "castle.local/vip-warden:v1",
                  args: ["--vip=192.168.1.210:6443", "--certificates=/certificates"],
                },
              ],
            },
          },
        ],
      },
    });
    expect(ours(castle, worker)).not.toHaveProperty("machine.pods");
    expect(ours(fortress, controlPlane)).not.toHaveProperty("machine.pods");
  });

  it("install on a rack, from the factory, and leave the kubelet's thresholds and the clock alone", () => {
    const patch = ours(fortress, controlPlane, rack);
    expect(patch).toMatchObject({
      machine: {
        install: { disk: "/dev/sda", image: "factory.talos.dev/nocloud-installer/3765:v1.11.5", wipe: false },
        kubelet: { extraConfig: { httpCheckFrequency: "1s" } },
      },
    });
    expect(patch).not.toHaveProperty("machine.time");
    expect(patch).not.toHaveProperty("machine.registries");
    expect(patch).not.toHaveProperty("machine.kubelet.extraConfig.evictionHard");
  });

  it("describe the card in the same way on a rack as in a lab", () => {
    const inLab = ours(fortress, worker);
    expect(inLab).toHaveProperty("machine.network.interfaces");
    expect(ours(fortress, worker, rack)).toMatchObject({ machine: { network: machineNetwork(inLab) } });
  });

  it("use the castle's time servers also where the ground has none", () => {
    const castle = { ...fortress, network: { ...fortress.network, ntp: ["192.168.1.2"] } };
    expect(ours(castle, worker)).toMatchObject({ machine: { time: { servers: ["192.168.1.2"] } } });
  });

  it.each([
    ["the castle's", "https://discovery.lan/", "https://discovery.lan/"],
    ["the ground's", undefined, "http://192.168.1.1:3000"],
  ])("name %s discovery service", (_whose, discovery, endpoint) => {
    const talos = { ...fortress.talos, ...(discovery === undefined ? {} : { discovery }) };
    expect(ours({ ...fortress, talos }, worker)).toMatchObject({
      cluster: {
        discovery: { enabled: true, registries: { kubernetes: { disabled: true }, service: { endpoint } } },
      },
    });
  });

  it("leave Talos' public discovery service where nobody names one", () => {
    expect(ours(fortress, worker, rack)).toMatchObject({
      cluster: { discovery: { registries: { service: { disabled: false } } } },
    });
  });

  it("turn discovery off", () => {
    const castle = { ...fortress, talos: { ...fortress.talos, discovery: "off" } };
    expect(ours(castle, worker)).toHaveProperty("cluster.discovery", { enabled: false });
  });

  it("open what Prometheus asks on control planes, and only where it runs", () => {
    const gitops = { repository: "https://git.lan/k8s.git", branch: "main", path: "clusters/fortress" };
    const monitored = { ...fortress, gitops, monitoring: { prometheus: true, grafana: false } };
    const shown = {
      cluster: {
        controllerManager: { extraArgs: { "bind-address": "0.0.0.0" } },
        etcd: { extraArgs: { "listen-metrics-urls": "http://192.168.1.211:2381" } },
        scheduler: { extraArgs: { "bind-address": "0.0.0.0" } },
      },
      machine: {
        features: {
          kubernetesTalosAPIAccess: {
            allowedKubernetesNamespaces: ["monitoring"],
            allowedRoles: ["os:reader"],
          },
        },
      },
    };
    expect(ours(monitored, controlPlane)).toMatchObject(shown);
    for (const patch of [ours(fortress, controlPlane), ours(monitored, worker)]) {
      expect(patch).not.toHaveProperty("cluster.etcd");
      expect(patch).not.toHaveProperty("machine.features");
      expect(patch).not.toHaveProperty(["cluster", "controllerManager", "extraArgs", "bind-address"]);
    }
  });

  it("end with the user's: all nodes' first, the node's own last", () => {
    const castle = {
      ...fortress,
      talos: { ...fortress.talos, patches: [{ machine: { sysctls: { a: "1" } } }] },
    };
    const node = { ...worker, patches: [{ machine: { sysctls: { a: "2" } } }] };
    expect(patches(castle, node, lab).slice(1)).toEqual([...castle.talos.patches, ...node.patches]);
  });

  it("do not depend on the order of the ground's mirrors", () => {
    const mirrors = Object.fromEntries(Object.entries(lab.mirrors).reverse());
    expect(JSON.stringify(patches(fortress, worker, { ...lab, mirrors }))).toBe(
      JSON.stringify(patches(fortress, worker, lab)),
    );
  });
});
