import { controlPlanes } from "../spec/control-planes.ts";
import type { Castle } from "../spec/castle.ts";
import type { Secret } from "../support/secret.ts";
import { aimTalosconfig } from "../talos/talosconfig.ts";
import type { Ground } from "./ground/ground.ts";

const APID_PORT = 50_000;

/** The rack's form: the nodes' own addresses. Without -n the first control plane is asked. */
export function talosconfigOfLan(castle: Castle, talosconfig: Secret): Secret {
  const addresses = controlPlanes(castle).map(({ address }) => address);
  return aimTalosconfig(talosconfig, { endpoints: addresses, nodes: addresses.slice(0, 1) });
}

/** Aimed at where the control planes are reached from here: on a rack themselves, in a lab forwards on the loopback. */
export async function talosconfigFromHere(
  castle: Castle,
  ground: Ground,
  talosconfig: Secret,
): Promise<Secret> {
  const endpoints = await Promise.all(
    controlPlanes(castle).map(async ({ address }) => {
      const { host, port } = await ground.reach(address, APID_PORT);
      return ground.kind === "rack" ? host : `${host}:${port}`;
    }),
  );
  const nodes = controlPlanes(castle).map(({ address }) => address);
  return aimTalosconfig(talosconfig, { endpoints, nodes: nodes.slice(0, 1) });
}
