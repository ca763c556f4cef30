import { machineAddress } from "../../infra/address.ts";
import type { PlanSummary } from "../../infra/plan-summary.ts";
import { runStep } from "../../journal/step.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { activeConfig } from "../../talos/active-config.ts";
import { applyConfig, version } from "../../talos/machine.ts";
import type { CastleRun } from "../castle-run.ts";
import { differingPaths } from "../configuration-difference.ts";
import { memberOf } from "../quorum/ballot.ts";
import { passQuorum } from "../quorum/passage.ts";
import type { CastleIdentity } from "./identity.ts";
import { allHealthy } from "./healthy.ts";
import { terraformOf } from "./machines.ts";
import type { NodeClients } from "./node-clients.ts";

/** Milliseconds of health: Talos restarts what a change touches a moment after it has said yes. */
const STEADY = 4_000;

/**
 * Brings standing nodes to what the spec says now, one at a time, each healthy before the next: first the changes that
 * restart a machine, then configurations that differ. A Talos version that differs is told, not changed.
 */
export async function rollChanges(
  run: CastleRun,
  identity: CastleIdentity,
  clients: NodeClients,
  plan: PlanSummary,
): Promise<void> {
  for (const change of plan.updates.filter(({ restarts }) => restarts)) {
    const step = {
      id: `restart-${change.address}`,
      title: `${change.title}: ${change.attributes.join(", ")}, with a restart`,
    };
    await runStep(run.report, step, async () => {
      const node = run.castle.nodes.find(({ name }) => machineAddress(name) === change.address);
      if (node !== undefined) await mayBeAway(run, clients, node);
      const terraform = terraformOf(run, step.id);
      await terraform.plan({ targets: [change.address], signal: run.signal });
      await terraform.apply(run.signal);
      await allHealthy(run, clients, STEADY);
      return undefined;
    });
  }
  // What is left changes nothing that runs: tags, names, growth.
  if (plan.updates.some(({ restarts }) => restarts)) await terraformOf(run).apply(run.signal);
  for (const node of run.castle.nodes) await bringUpToDate(run, identity, clients, node);
}

async function bringUpToDate(
  run: CastleRun,
  { configs }: CastleIdentity,
  clients: NodeClients,
  node: CastleNode,
): Promise<void> {
  const { castle, report, signal } = run;
  const client = await clients.trusted(node);
  const [running, active] = await Promise.all([
    version(client, { signal }),
    activeConfig(client, { signal }),
  ]);
  if (running.talos !== castle.talos.version) {
    report({
      type: "warning",
      message: `${node.name} needs an upgrade: it runs Talos ${running.talos}, the spec says ${castle.talos.version}`,
      hint: "castle does not upgrade yet; put the running version back into castle.yaml",
    });
  }
  const wanted = configs.nodes.get(node.name);
  if (wanted === undefined || active === undefined) return;
  const paths = differingPaths(active, wanted.reveal());
  if (paths.length === 0) return;
  if (paths.some((path) => path.startsWith("VolumeConfig"))) {
    report({
      type: "warning",
      message: `${node.name} keeps its disk as it is, and its whole configuration: Talos encrypts a disk only as it makes it (${paths.join(", ")})`,
      hint: "raise the castle anew (castle down, castle up), or put disks.encryption back",
    });
    return;
  }
  await runStep(
    report,
    { id: `reconfigure-${node.name}`, title: `${node.name}: ${paths.join(", ")}` },
    async () => {
      await mayBeAway(run, clients, node);
      const { warnings } = await applyConfig(client, wanted, { signal });
      for (const message of warnings) report({ type: "warning", message: `${node.name}: ${message}` });
      await allHealthy(run, clients, STEADY);
      return undefined;
    },
  );
}

/** etcd has to do without a control plane for a moment; a castle with a single one is out meanwhile, and told so. */
async function mayBeAway(run: CastleRun, clients: NodeClients, node: CastleNode): Promise<void> {
  if (node.role === "worker") return;
  const judged = await passQuorum(run, clients, {
    what: `Restarting what runs on ${node.name}`,
    step: (ballot) => {
      const member = memberOf(ballot, node);
      return member === undefined ? undefined : { kind: "interrupt", member: member.id };
    },
  });
  if (judged?.verdict === "outage") {
    run.report({ type: "warning", message: `${node.name}: ${judged.reason}` });
  }
}
