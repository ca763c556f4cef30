import { imageAddress, machineAddress } from "../infra/address.ts";
import { creationOf, type PlanSummary } from "../infra/plan-summary.ts";
import type { Castle, CastleNode } from "../spec/castle.ts";
import { Secret } from "../support/secret.ts";
import { activeConfig } from "../talos/active-config.ts";
import { renderConfigs } from "../talos/config.ts";
import { version } from "../talos/machine.ts";
import { standing } from "../talos/standing.ts";
import { readCredentials } from "../talos/talosconfig.ts";
import type { CastleRun } from "./castle-run.ts";
import { differingPaths } from "./configuration-difference.ts";
import { type PlatformPlan, planPlatform, platformFromNothing } from "./platform-plan.ts";
import { terraformOf } from "./raise/machines.ts";
import { NodeClients } from "./raise/node-clients.ts";

export interface NodePlan {
  readonly name: string;
  /** `foreign`: it has other secrets, and `up` will refuse it; `unknown`: it does not answer. */
  readonly change: "configure" | "reconfigure" | "none" | "foreign" | "unknown";
  /** Paths in the machine configuration. */
  readonly differences: readonly string[];
  readonly reason?: string;
  /** Only where they differ. */
  readonly talos?: { readonly running: string; readonly wanted: string };
}

export interface CastlePlan {
  readonly machines: PlanSummary;
  readonly nodes: readonly NodePlan[];
  /** With gitops. */
  readonly platform?: PlatformPlan;
}

/** What `up` would change. Asks hypervisor and nodes, changes nothing about either. */
export async function planCastle(run: CastleRun): Promise<CastlePlan> {
  const [plan, platform] = await Promise.all([
    planMachines(run),
    run.platform === undefined ? undefined : planPlatform(run, run.platform),
  ]);
  return platform === undefined ? plan : { ...plan, platform };
}

async function planMachines(run: CastleRun): Promise<CastlePlan> {
  const { castle, signal } = run;
  const machines = await terraformOf(run, "plan").plan({ signal });
  const made = new Set([...machines.creates, ...machines.replaces].map(({ address }) => address));
  const isNew = (node: CastleNode) => made.has(machineAddress(node.name));
  if (castle.nodes.every(isNew)) return { machines, nodes: castle.nodes.map(toConfigure) };
  return { machines, nodes: await planNodes(run, isNew) };
}

/** A castle whose ground is not there yet: everything is made. */
export function planFromNothing(castle: Castle): CastlePlan {
  const hosts = [...new Set(castle.nodes.map(({ host }) => host))];
  const addresses = [
    ...hosts.map((host) => imageAddress(host)),
    ...castle.nodes.map(({ name }) => machineAddress(name)),
  ];
  return {
    machines: creationOf(addresses),
    nodes: castle.nodes.map(toConfigure),
    ...(castle.gitops === undefined ? {} : { platform: platformFromNothing(castle) }),
  };
}

/** `up` would change something, or could not make the castle what the spec says. */
export function differs({ machines, nodes, platform }: CastlePlan): boolean {
  if (platform !== undefined && platform.changes.length + platform.edits.length > 0) return true;
  return !machines.clean || nodes.some(({ change, talos }) => change !== "none" || talos !== undefined);
}

function toConfigure({ name }: CastleNode): NodePlan {
  return { name, change: "configure", differences: [] };
}

async function planNodes(run: CastleRun, isNew: (node: CastleNode) => boolean): Promise<readonly NodePlan[]> {
  const { castle, ground, home, programs, signal, store } = run;
  const [bundle, diskKey] = await Promise.all([store.get("talos-secrets"), store.get("disk-key")]);
  if (bundle === undefined) {
    const reason = `the secrets that it was made with are not in ${store.description}`;
    return castle.nodes.map((node) =>
      isNew(node) ? toConfigure(node) : { name: node.name, change: "foreign", differences: [], reason },
    );
  }
  const tool = { path: programs.talosctl, folder: home.talos, signal };
  // A key that there is not yet makes the same difference, whatever it will be.
  const secrets = { bundle, diskKey: diskKey ?? new Secret("made by castle up") };
  const configs = await renderConfigs(tool, castle, ground.nodes, secrets);
  const clients = new NodeClients(run, readCredentials(configs.talosconfig));
  try {
    return await Promise.all(
      castle.nodes.map(async (node) =>
        isNew(node)
          ? toConfigure(node)
          : planNode(run, clients, node, configs.nodes.get(node.name)?.reveal() ?? ""),
      ),
    );
  } finally {
    clients.close();
  }
}

async function planNode(
  { castle, signal }: CastleRun,
  clients: NodeClients,
  node: CastleNode,
  wanted: string,
): Promise<NodePlan> {
  const { name } = node;
  const endpoint = await clients.endpoint(node);
  const found = await standing({ endpoint, name, credentials: clients.credentials, signal });
  switch (found.kind) {
    case "new":
      return toConfigure(node);
    case "stranger":
      return { name, change: "foreign", differences: [], reason: "it was configured with other secrets" };
    case "silent":
      return { name, change: "unknown", differences: [], reason: found.reason };
    case "ours": {
      const client = await clients.trusted(node);
      const [active, running] = await Promise.all([
        activeConfig(client, { signal }),
        version(client, { signal }),
      ]);
      const differences = differingPaths(active ?? "", wanted);
      const talos = { running: running.talos, wanted: castle.talos.version };
      return {
        name,
        change: differences.length === 0 ? "none" : "reconfigure",
        differences,
        ...(talos.running === talos.wanted ? {} : { talos }),
      };
    }
    default:
      return found satisfies never;
  }
}
