import { runStep } from "../../journal/step.ts";
import { NodeClients } from "../raise/node-clients.ts";
import { joinedRun } from "../raise/joined-run.ts";
import { readCredentials } from "../../talos/talosconfig.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { judge } from "../../quorum/plan.ts";
import type { CastleRun } from "../castle-run.ts";
import { type Unfinished, begun, cleared } from "../moves/ledger.ts";
import { forgetCastle } from "../moves/discovery.ts";
import { changeLedger } from "../moves/ledger-file.ts";
import { ballotOf } from "../quorum/ballot.ts";
import { proveEmpty } from "./empty.ts";
import { PowerSwitch } from "./power-switch.ts";
import { type Found, findNode, wipeNode } from "./wipe.ts";

/** What became of each node, by its name. */
export type ResetOutcome = Readonly<Record<string, (typeof OUTCOMES)[Found]>>;

export interface ResetOptions {
  /** The operation that this is the beginning of, which the ledger goes on to have as begun. */
  readonly goesOn?: Unfinished;
}

const OUTCOMES = { ours: "wiped", empty: "was empty", "no machine": "no machine" } as const;

/**
 * The seed's clean slate: every node at once loses its disks, and is then proved to be empty. The machines stay, and so
 * do the secrets: the next `up` raises the same castle on them. A node that is empty already is left alone, so an
 * interrupted reset is gone on with by the next.
 * @throws CastleError lifecycle/foreign-node, lifecycle/not-raised, lifecycle/timed-out
 */
export async function reset(given: CastleRun, { goesOn }: ResetOptions = {}): Promise<ResetOutcome> {
  const talosconfig = await given.store.get("talosconfig");
  if (talosconfig === undefined) {
    throw new CastleError("lifecycle/not-raised", {
      message: `Castle ${given.castle.name} has no credentials in ${given.store.description}: there is nothing that a reset could ask`,
      hint: "castle down --yes deletes the machines without asking them",
    });
  }
  const { run, together } = joinedRun(given);
  const { castle, report } = run;
  const clients = new NodeClients(run, readCredentials(talosconfig));
  const power = new PowerSwitch(run);
  const found = new Map<string, Found>();
  try {
    await runStep(report, { id: "found", title: "Every node awake" }, async () => {
      await together(
        ...castle.nodes.map(async (node) => {
          found.set(node.name, await findNode({ run, clients, power }, node));
        }),
      );
      return undefined;
    });
    await runStep(report, { id: "quorum", title: "Votes that are given up" }, async () => {
      const ballot = await ballotOf(run, clients);
      return {
        detail: ballot === undefined ? "no etcd answers" : judge(ballot.electorate, { kind: "end" }).reason,
      };
    });
    const ours = castle.nodes.filter(({ name }) => found.get(name) === "ours");
    await runStep(report, { id: "wipe", title: "Every node wiped, all at once" }, async () => {
      await together(...ours.map((node) => wipeNode({ run, clients, power }, node)));
      return { detail: ours.length === 0 ? "all were empty already" : `${ours.length} wiped` };
    });
    await runStep(report, { id: "empty", title: "Every node proved to be empty" }, async () => {
      const machines = castle.nodes.filter(({ name }) => found.get(name) !== "no machine");
      await together(...machines.map((node) => proveEmpty({ run, clients, power }, node)));
      return { detail: "maintenance mode, no configuration" };
    });
    await runStep(report, { id: "forget", title: "Forgotten by discovery" }, () => forgetCastle(run));
  } finally {
    clients.close();
    await power.close();
  }
  // Nobody is left who could remember an address, and nothing that could be half done.
  await changeLedger(given.home, (ledger) => begun(cleared(ledger), goesOn));
  return Object.fromEntries([...found].map(([name, was]) => [name, OUTCOMES[was]]));
}
