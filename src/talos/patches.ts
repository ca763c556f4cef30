import type { Castle, CastleNode, MachinePatch } from "../spec/castle.ts";
import type { Secret } from "../support/secret.ts";
import type { Ground } from "./ground.ts";
import { monitoringAccess, monitoringArgs } from "./monitoring.ts";
import { volumes } from "./volumes.ts";
import { vipWarden } from "./vip-warden.ts";

/**
 * What makes the generated configuration of a role that of this node on this ground: strategic merge patches in the
 * order in which they apply, so that the user's come last and win. Pure and byte-stable.
 *
 * The VLAN is no matter of the node: the hypervisor tags the card's frames, because a machine in maintenance mode has
 * to be reached before it has any configuration.
 * @param diskKey what opens the disks where the castle encrypts them with a static key
 */
export function patches(
  castle: Castle,
  node: CastleNode,
  ground: Ground,
  diskKey?: Secret,
): readonly MachinePatch[] {
  return [
    { machine: machine(castle, node, ground), cluster: cluster(castle, node, ground) },
    ...volumes(castle, ground, diskKey),
    ...castle.talos.patches,
    ...node.patches,
  ];
}

const LOOPBACK = "127.0.0.1";

function machine(castle: Castle, node: CastleNode, ground: Ground): MachinePatch {
  const pods = node.role === "controlplane" ? vipWarden(castle) : [];
  return {
    // Forwards end on the loopback of the machine that castle runs on.
    certSANs: [LOOPBACK, ...(node.role === "controlplane" ? [castle.network.vip] : [])],
    network: network(castle, node),
    ...time(castle, ground),
    ...(Object.keys(ground.mirrors).length === 0 ? {} : { registries: { mirrors: mirrors(ground) } }),
    kubelet: { extraConfig: kubelet(ground) },
    ...monitoringAccess(castle, node),
    ...(pods.length === 0 ? {} : { pods }),
    ...(ground.mode === "metal" ? { install: { ...ground.install, wipe: false } } : {}),
  };
}

function network({ network: { prefix, gateway, vip, dns } }: Castle, node: CastleNode): MachinePatch {
  return {
    hostname: node.name,
    nameservers: dns,
    interfaces: [
      {
        // Talos compares text, and writes addresses of cards in lower case.
        deviceSelector: { hardwareAddr: node.mac.toLowerCase() },
        dhcp: false,
        addresses: [`${node.address}/${prefix}`],
        routes: [{ network: "0.0.0.0/0", gateway }],
        ...(node.role === "controlplane" ? { vip: { ip: vip } } : {}),
      },
    ],
  };
}

function time({ network: { ntp } }: Castle, ground: Ground): MachinePatch {
  if (ntp.length > 0) return { time: { servers: ntp } };
  return ground.mode === "container" && !ground.timeServer ? { time: { disabled: true } } : {};
}

function mirrors(ground: Ground): MachinePatch {
  return Object.fromEntries(
    Object.entries(ground.mirrors)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([host, endpoints]) => [host, { endpoints }]),
  );
}

function kubelet(ground: Ground): MachinePatch {
  return {
    // The kubelet looks for static pods every 20 s by default: a first look before etcd is up costs all of them.
    httpCheckFrequency: "1s",
    ...nodeLife.kubelet,
    ...(ground.mode === "container"
      ? { evictionHard: ground.evictionHard, imageGCHighThresholdPercent: 100 }
      : {}),
  };
}

function cluster(castle: Castle, node: CastleNode, ground: Ground): MachinePatch {
  const { etcd, components } = monitoringArgs(castle, node);
  return {
    discovery: discovery(castle.talos.discovery ?? ground.discovery),
    ...(node.role === "controlplane"
      ? {
          // Its own alone, besides the VIP's: another number of control planes must not restart those that stand.
          apiServer: { certSANs: [LOOPBACK, node.address] },
          controllerManager: { extraArgs: { ...patience, ...nodeLife.controllerManager, ...components } },
          ...(etcd === undefined ? {} : { etcd: { extraArgs: etcd } }),
          scheduler: { extraArgs: { ...patience, ...components } },
        }
      : {}),
  };
}

/**
 * Both end at once if the API does not answer their first look at it, and the kubelet starts them again only after 10,
 * 20 and 40 s; until then nobody signs a node's certificate. With this they wait for the API. What is lost until they are
 * started anew: client certificates of others at their own ports, which nothing in a castle shows.
 */
const patience = { "authentication-tolerate-lookup-failure": "true" };

/**
 * A node that died is known to be dead after 20 s instead of 50: its lease is renewed every quarter of its duration, and
 * four missed renewals are the end of it. What that buys stands in docs/decisions/worker-loss.md.
 */
const nodeLife = {
  kubelet: { nodeLeaseDurationSeconds: 20, nodeStatusUpdateFrequency: "5s" },
  controllerManager: { "node-monitor-grace-period": "20s", "node-monitor-period": "2s" },
} as const;

/** The Kubernetes registry of members is off: it no longer works with Kubernetes 1.32 and newer. */
function discovery(service: string | undefined): MachinePatch {
  if (service === "off") return { enabled: false };
  return {
    enabled: true,
    registries: {
      kubernetes: { disabled: true },
      service: service === undefined ? { disabled: false } : { disabled: false, endpoint: service },
    },
  };
}
