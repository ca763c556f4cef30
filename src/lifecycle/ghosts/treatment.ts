import type { Cure, JudgedGhost } from "../../ghosts/ghost.ts";
import type { Testimony } from "../../ghosts/testimony.ts";
import { runStep } from "../../journal/step.ts";
import { deleteNode } from "../../kubernetes/node-removal.ts";
import { standingText } from "../../quorum/standing.ts";
import { pollWithin } from "../../support/poll.ts";
import type { CastleRun } from "../castle-run.ts";
import type { ClusterAccess } from "../moves/cluster-access.ts";
import { forgetInDiscovery } from "../moves/discovery.ts";
import { knownMembers } from "../moves/memory.ts";
import { nodeNamed, replace } from "../moves/replace.ts";
import { removeMember } from "../quorum/member-removal.ts";
import { renew } from "./renewal.ts";

/** Milliseconds for the nodes to hear from discovery that somebody is gone. */
const HEARSAY = 10_000;

/** Whether there is anything that castle does about it, besides looking. */
export function isTreatable({ cures }: JudgedGhost): boolean {
  return cures.some(({ kind }) => kind !== "wait" && kind !== "block-upgrade");
}

/** Does all that ends a ghost, in its order. Each part looks first and leaves alone what is done already. */
export async function treat(
  run: CastleRun,
  access: ClusterAccess,
  { cures }: JudgedGhost,
  testimony: Testimony,
): Promise<void> {
  for (const cure of cures) await carryOut(run, access, cure, testimony);
}

async function carryOut(
  run: CastleRun,
  access: ClusterAccess,
  cure: Cure,
  testimony: Testimony,
): Promise<void> {
  const { report, signal } = run;
  switch (cure.kind) {
    case "remove-member": {
      const { member } = cure;
      const step = { id: `remove-${member}`, title: `Member ${member} taken out of etcd` };
      await runStep(report, step, async () => {
        const judged = await removeMember(run, access.clients, member);
        return { detail: judged === undefined ? "it was gone" : standingText(judged.after) };
      });
      return;
    }
    case "wipe-etcd":
      await renew(run, access, nodeNamed(run, cure.node));
      return;
    case "reprovision":
      await replace(run, nodeNamed(run, cure.node));
      return;
    case "delete-node": {
      const step = { id: `node-${cure.node}`, title: `Node ${cure.node} deleted from Kubernetes` };
      await runStep(report, step, async () => {
        if (access.api === undefined) return { detail: "there is no cluster" };
        return { detail: (await deleteNode(access.api, cure.node, signal)) ? "deleted" : "it was gone" };
      });
      return;
    }
    case "expire":
      await runStep(report, { id: `forget-${cure.node}`, title: `${cure.node} forgotten by discovery` }, () =>
        forgotten(run, access, cure.node, testimony),
      );
      return;
    case "wait":
    case "block-upgrade":
      return;
    default:
      cure satisfies never;
  }
}

/** Where discovery itself is out of reach, it forgets in its own time: told, and no failure. */
async function forgotten(
  run: CastleRun,
  { clients }: ClusterAccess,
  name: string,
  { discovery }: Testimony,
): Promise<{ detail: string }> {
  const address = discovery?.find((affiliate) => affiliate.name === name)?.addresses[0] ?? "";
  const told = await forgetInDiscovery(run, clients, { name, address });
  const gone = await pollWithin(
    async () => {
      const known = await knownMembers(run, clients, name);
      return known?.every(({ spec }) => spec.hostname !== name) === true ? true : undefined;
    },
    { every: 250, within: HEARSAY, signal: run.signal },
  );
  return gone === undefined ? { detail: `${told.detail}; within 30 minutes by itself` } : told;
}
