import { lanNamespace } from "../../src/lab/namespaces.ts";
import { KubernetesProbe } from "../fixtures/open-loop/kubernetes-probe.ts";
import type { Told } from "../fixtures/open-loop/open-loop.ts";
import type { CastleCommand } from "./castle-command.ts";
import { statusIs } from "./cluster.ts";

export interface Failover {
  /** Who lost its power. */
  readonly holder: string;
  readonly told: Told;
}

/** Cuts the power of whoever holds the VIP, and tells what an administrator on the LAN sees of it. */
export async function cutHolder(castle: CastleCommand, watched: number): Promise<Failover> {
  const { vip } = await statusIs(castle, ({ healthy }) => healthy, "healthy before the power cut");
  const holder = vip.holder ?? "";
  // As a person gets it; its secrets are not to be found in what castle prints otherwise.
  const { stdout } = await castle.start("kubeconfig", "--lan");
  const probe = await KubernetesProbe.start(lanNamespace(castle.name), stdout);
  await castle.run("lab", "power", "cut", holder);
  await new Promise((resolve) => setTimeout(resolve, watched));
  return { holder, told: await probe.stop() };
}
