import { CastleError } from "../../errors/castle-error.ts";
import { runStep } from "../../journal/step.ts";
import { cordon, deleteNode, drain } from "../../kubernetes/node-removal.ts";
import type { Step } from "../../quorum/step.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import { etcdLeave } from "../../talos/etcd.ts";
import { standing } from "../../talos/standing.ts";
import type { CastleRun } from "../castle-run.ts";
import { type Ballot, memberOf } from "../quorum/ballot.ts";
import { memberGone } from "../quorum/member-removal.ts";
import { passQuorum } from "../quorum/passage.ts";
import { terraformOf } from "../raise/machines.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { forgetInDiscovery } from "./discovery.ts";
import { isFailure } from "../../errors/failure.ts";

/** Milliseconds that pods have to go elsewhere before their node goes all the same. */
const DRAIN = 20_000;
/** Milliseconds that a control plane has to leave etcd by itself before it is taken out. */
const LEAVE = 20_000;

/**
 * Takes a node out of the castle for good, so that nobody remembers it: pods elsewhere, out of etcd, proved to be out,
 * its Node deleted, its machine deleted with the disk, forgotten by discovery. Never needs the node itself. What is done
 * already is left alone, so that an interrupted departure is gone on with by the next.
 * @throws CastleError lifecycle/quorum before anything is touched
 */
export async function depart(run: CastleRun, access: ClusterAccess, node: CastleNode): Promise<void> {
  const { name } = node;
  const living = await isLiving(run, access, node);
  if (node.role === "controlplane") {
    // Before the first thing is touched: a departure that etcd does not allow does not even begin to drain.
    await passQuorum(run, access.clients, { what: `Taking ${name} out`, step: removal(node) });
  }
  if (living) {
    await runStep(run.report, { id: `drain-${name}`, title: `${name}: pods go elsewhere` }, () =>
      drained(run, access, name),
    );
  }
  if (node.role === "controlplane") {
    await runStep(run.report, { id: `etcd-${name}`, title: `${name}: out of etcd` }, () =>
      outOfEtcd(run, access, node, living),
    );
  }
  await runStep(run.report, { id: `node-${name}`, title: `${name}: Node deleted` }, () =>
    withoutNode(run, access, name),
  );
  await runStep(run.report, { id: `machine-${name}`, title: `${name}: machine deleted` }, async () => {
    const gone = await terraformOf(run, `machine-${name}`).remove([name], run.signal);
    return { detail: gone.length === 0 ? "there was none" : "with its disk" };
  });
  await runStep(run.report, { id: `forget-${name}`, title: `${name}: forgotten` }, async () => {
    // A kubelet that was alive a moment ago may have registered once more.
    await withoutNode(run, access, name);
    return forgetInDiscovery(run, access.clients, node);
  });
}

/** The step that etcd feels; undefined where the node is no member any more. */
export function removal(node: CastleNode): (ballot: Ballot) => Step | undefined {
  return (ballot) => {
    const member = memberOf(ballot, node);
    return member === undefined ? undefined : { kind: "remove", member: member.id };
  };
}

/** Whether the node answers to this castle's credentials now: only then is it asked for anything. */
async function isLiving(
  run: CastleRun,
  { clients, power }: ClusterAccess,
  node: CastleNode,
): Promise<boolean> {
  if ((await power.state(node)) !== "running") return false;
  const { credentials } = clients;
  const endpoint = await clients.endpoint(node);
  const found = await standing({ endpoint, name: node.name, credentials, signal: run.signal });
  return found.kind === "ours";
}

async function drained({ signal }: CastleRun, { api }: ClusterAccess, name: string) {
  if (api === undefined) return { detail: "there is no cluster" };
  try {
    if (!(await cordon(api, name, signal))) return { detail: "it is no Node" };
    const left = await drain(api, name, { within: DRAIN, signal });
    return { detail: left.length === 0 ? "drained" : `stayed: ${left.join(", ")}` };
  } catch (error) {
    if (error instanceof CastleError && error.code.startsWith("kubernetes/"))
      return { detail: error.message };
    throw error;
  }
}

async function outOfEtcd(run: CastleRun, { clients }: ClusterAccess, node: CastleNode, living: boolean) {
  const { name } = node;
  const judged = await passQuorum(run, clients, { what: `${name} leaving etcd`, step: removal(node) });
  if (judged?.step.kind !== "remove") return { detail: "it is no member" };
  const { member } = judged.step;
  const asked = living && (await leavesItself(run, clients, node));
  // Any but the node itself, which is on its way out or never answers.
  const through = controlPlanes(run.castle).filter(({ name: other }) => other !== name);
  await memberGone(run, clients, { member, through });
  return { detail: `${asked ? "left" : "removed"}: ${judged.reason}` };
}

/** Never by the Reset's own leave: here it is seen whether it worked. */
async function leavesItself(
  run: CastleRun,
  clients: ClusterAccess["clients"],
  node: CastleNode,
): Promise<boolean> {
  try {
    await etcdLeave(await clients.trusted(node), { signal: run.signal, deadline: LEAVE });
    return true;
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}

async function withoutNode({ signal }: CastleRun, { api }: ClusterAccess, name: string) {
  if (api === undefined) return { detail: "there is no cluster" };
  return { detail: (await deleteNode(api, name, signal)) ? "deleted" : "there was none" };
}
