import { CastleError } from "../../errors/castle-error.ts";
import type { CastleNode } from "../../spec/castle.ts";
import type { CastleRun } from "../castle-run.ts";
import { type Raised, up } from "../up.ts";
import { withAccess } from "./cluster-access.ts";
import { depart } from "./departure.ts";
import { begun } from "./ledger.ts";
import { changeLedger, readLedger } from "./ledger-file.ts";
import { refuseUnfinished } from "./tenancy.ts";

/** @throws CastleError lifecycle/no-such-node */
export function nodeNamed({ castle }: Pick<CastleRun, "castle">, name: string): CastleNode {
  const found = castle.nodes.find((node) => node.name === name);
  if (found !== undefined) return found;
  throw new CastleError("lifecycle/no-such-node", {
    message: `Castle ${castle.name} has no node ${name}, only ${castle.nodes.map((node) => node.name).join(", ")}`,
    hint: "castle status",
  });
}

/**
 * Makes one node anew under its name and address, dead or alive: it departs, and `up` brings what is missing. Between the
 * two lies a note in the ledger, so that a run after a kill neither throws the new machine away nor leaves the old one.
 * @throws CastleError lifecycle/quorum, lifecycle/unfinished
 */
export async function replace(run: CastleRun, node: CastleNode): Promise<Raised> {
  const { home } = run;
  const { name } = node;
  await refuseUnfinished(run, (other) => other.verb === "replace" && other.node === name);
  const { unfinished } = await readLedger(home);
  if (unfinished?.verb !== "replace" || !unfinished.removed) {
    await withAccess(run, async (access) => {
      await changeLedger(home, (ledger) => begun(ledger, { verb: "replace", node: name, removed: false }));
      await depart(run, access, node).catch(async (error: unknown) => {
        // Refused before anything was touched: nothing is half done.
        if (error instanceof CastleError && error.code === "lifecycle/quorum" && unfinished === undefined) {
          await changeLedger(home, (ledger) => begun(ledger, undefined));
        }
        throw error;
      });
    });
    await changeLedger(home, (ledger) => begun(ledger, { verb: "replace", node: name, removed: true }));
  }
  const raised = await up(run, { goesOn: "replace" });
  await changeLedger(home, (ledger) => begun(ledger, undefined));
  return raised;
}
