import { CastleError } from "../../errors/castle-error.ts";
import type { PlanSummary } from "../../infra/plan-summary.ts";
import { runStep } from "../../journal/step.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import { activeConfig } from "../../talos/active-config.ts";
import { applyConfig, version } from "../../talos/machine.ts";
import { machineState } from "../../talos/stage.ts";
import type { CastleRun } from "../castle-run.ts";
import { differingPaths } from "../configuration-difference.ts";
import type { CastleIdentity } from "./identity.ts";
import { terraformOf } from "./machines.ts";
import type { NodeClients } from "./node-clients.ts";
import { allVoters } from "./quorum.ts";

/** Milliseconds of health without a break: Talos restarts what a change touches a moment after it has said yes. */
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
      const terraform = terraformOf(run, step.id);
      await terraform.plan({ targets: [change.address], signal: run.signal });
      await terraform.apply(run.signal);
      await allHealthy(run, clients);
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
      const { warnings } = await applyConfig(client, wanted, { signal });
      for (const message of warnings) report({ type: "warning", message: `${node.name}: ${message}` });
      await allHealthy(run, clients);
      return undefined;
    },
  );
}

async function allHealthy(run: CastleRun, clients: NodeClients): Promise<void> {
  let last = "";
  let since = performance.now();
  await poll(
    async () => {
      const waiting = await Promise.all(run.castle.nodes.map((node) => unhealthy(run, clients, node)));
      last = waiting.filter((reason) => reason !== undefined).join("; ");
      if (last !== "") since = performance.now();
      return performance.now() - since >= STEADY ? true : undefined;
    },
    {
      every: 500,
      within: run.patience,
      signal: run.signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `The castle was not healthy again within ${run.patience / 1000} s: ${last}`,
          hint: "castle status; the nodes not yet changed were left as they are",
        }),
    },
  );
  await allVoters(run, clients);
}

async function unhealthy(
  run: CastleRun,
  clients: NodeClients,
  node: CastleNode,
): Promise<string | undefined> {
  try {
    const { stage, ready, unmet } = await machineState(await clients.trusted(node), {
      signal: run.signal,
      deadline: 3_000,
    });
    if (stage === "running" && ready) return undefined;
    return `${node.name} is ${stage}${unmet.length === 0 ? "" : ` (${unmet.map(({ name }) => name).join(", ")})`}`;
  } catch (error) {
    if (error instanceof CastleError && error.code !== "command/interrupted") return error.message;
    throw error;
  }
}
