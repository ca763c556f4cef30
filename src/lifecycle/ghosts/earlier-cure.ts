import type { CastleRun } from "../castle-run.ts";
import type { ClusterAccess } from "../moves/cluster-access.ts";
import { readLedger } from "../moves/ledger-file.ts";
import { nodeNamed, replace } from "../moves/replace.ts";
import { refuseUnfinished } from "../moves/tenancy.ts";
import { renew } from "./renewal.ts";

/** Goes on with a cure that was interrupted in the middle of making a node anew. @throws CastleError lifecycle/unfinished */
export async function goOn(run: CastleRun, access: ClusterAccess): Promise<void> {
  const { unfinished } = await readLedger(run.home);
  if (unfinished?.verb === "ghosts") await renew(run, access, nodeNamed(run, unfinished.node));
  else if (unfinished?.verb === "replace") await replace(run, nodeNamed(run, unfinished.node));
  else await refuseUnfinished(run);
}
