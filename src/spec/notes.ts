import type { Castle } from "./castle.ts";
import { controlPlanes } from "./control-planes.ts";

/** What of a castle costs something or lacks something by the spec's own choice, and which key chooses otherwise. */
export function notes(castle: Castle): readonly string[] {
  return [vipFailover(castle)].filter((note) => note !== undefined);
}

function vipFailover(castle: Castle): string | undefined {
  const { vip, vipWarden } = castle.network;
  const planes = controlPlanes(castle).length;
  if (planes < 2) return undefined;
  if (vipWarden !== undefined) {
    return `the static pod vip-warden (${vipWarden}) runs on each of ${planes} control planes, so that the VIP ${vip} leaves a dead one within 5 s (network.vipWarden: off leaves it to Talos: up to 60 s)`;
  }
  return `a control plane that dies takes the VIP ${vip} with it for up to 60 s: castle's own commands and the nodes go on, kubectl waits (with a registry, or with network.vipWarden, castle's vip-warden makes it 5 s)`;
}
