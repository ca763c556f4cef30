import { z } from "zod";
import { machineNames } from "../../src/lab/machine/names.ts";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { parsedJson } from "../../src/support/json.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import type { CastleCommand } from "./castle-command.ts";
import type { Node } from "./cluster.ts";

const HEALTH_PORT = 10_256;

const healthShape = z.object({ status: z.object({ IPv4: z.object({ lastUpdated: z.string() }) }) });

/** Addresses, protocols and ports of Services that a node's kernel sends on, one a line, in their order. */
export async function serviceRules(castle: CastleCommand, { vmid }: Node): Promise<readonly string[]> {
  const asked = ["nft", "list", "map", "ip", "kube-proxy", "service-ips"];
  const { namespace } = machineNames({ lab: castle.name, state: castle.labs.state }, vmid);
  const { stdout } = await run("ip", ["netns", "exec", namespace, ...asked]);
  return (stdout.match(/[\d.]+ \. \w+ \. \d+/g) ?? []).toSorted();
}

/** Waits until a node's kube-proxy has written its rules since then, in milliseconds of the epoch. */
export async function servicesSynced(castle: CastleCommand, { address }: Node, since: number): Promise<void> {
  const url = `http://${address}:${HEALTH_PORT}/healthz`;
  await poll(
    async () => {
      const asked = ["netns", "exec", lanNamespace(castle.name), "curl", "-s", "-m", "2", url];
      const { stdout } = await run("ip", asked, { accept: [0, 7, 28, 52, 56] });
      const { data } = healthShape.safeParse(parsedJson(stdout));
      return data !== undefined && Date.parse(data.status.IPv4.lastUpdated) > since ? true : undefined;
    },
    { every: 250, within: 60_000, onTimeout: () => new Error(`kube-proxy of ${address} wrote no rules`) },
  );
}
