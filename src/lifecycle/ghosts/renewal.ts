import { runStep } from "../../journal/step.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { standing } from "../../talos/standing.ts";
import type { CastleRun } from "../castle-run.ts";
import type { ClusterAccess } from "../moves/cluster-access.ts";
import { begun } from "../moves/ledger.ts";
import { changeLedger } from "../moves/ledger-file.ts";
import { membersFromAny } from "../quorum/ballot.ts";
import { passQuorum } from "../quorum/passage.ts";
import { configureNode } from "../raise/configure.ts";
import { configOf, ensureIdentity } from "../raise/identity.ts";
import { JoinTurns } from "../raise/join-turns.ts";
import { proveEmpty } from "../reset/empty.ts";
import { wipeNode } from "../reset/wipe.ts";

/**
 * Wipes a control plane whose etcd is of no use, proves it empty and lets it join anew as one that never was. The note in
 * the ledger makes a run after a kill go on: an empty machine that is off looks like one that somebody switched off.
 * @throws CastleError lifecycle/quorum before anything is touched, lifecycle/timed-out
 */
export async function renew(run: CastleRun, access: ClusterAccess, node: CastleNode): Promise<void> {
  const { name } = node;
  await changeLedger(run.home, (ledger) => begun(ledger, { verb: "ghosts", node: name }));
  await runStep(run.report, { id: `wipe-${name}`, title: `${name}: wiped, and proved to be empty` }, () =>
    wiped(run, access, node),
  );
  await runStep(
    run.report,
    { id: `rejoin-${name}`, title: `${name}: configured, and let in again` },
    async () => {
      const { configs } = await ensureIdentity(run);
      const { clients } = access;
      const turns = new JoinTurns(run, clients);
      turns.stands();
      const configured = await configureNode({ run, clients, turns }, node, configOf({ configs }, node));
      return { detail: configured === "new" ? "it votes" : "it was done already" };
    },
  );
  await changeLedger(run.home, (ledger) => begun(ledger, undefined));
}

async function wiped(
  run: CastleRun,
  { clients, power }: ClusterAccess,
  node: CastleNode,
): Promise<{ detail: string }> {
  const members = await membersFromAny(run, clients);
  if (members?.some(({ name, learner }) => name === node.name && !learner) === true) {
    return { detail: "it votes already" };
  }
  // It has no vote, so nothing is interrupted; asked all the same, because nothing touches a control plane unasked.
  await passQuorum(run, clients, {
    what: `Wiping ${node.name}`,
    step: () => ({ kind: "interrupt", member: node.name }),
  });
  const endpoint = await clients.endpoint(node);
  const { credentials } = clients;
  const found = await standing({ endpoint, name: node.name, credentials, signal: run.signal });
  if (found.kind === "ours") await wipeNode({ run, clients, power }, node);
  await proveEmpty({ run, clients, power }, node);
  return { detail: "maintenance mode, no configuration" };
}
