import { type Difference, differenceOf } from "../../backup/snapshot/difference.ts";
import { type EtcdHistory, REGISTRY } from "../../backup/snapshot/history.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { readCredentials } from "../../talos/talosconfig.ts";
import type { CastleRun } from "../castle-run.ts";
import { NodeClients } from "../raise/node-clients.ts";
import { readEtcd } from "./read-etcd.ts";

/** What a restore takes away, told object by object where the castle's etcd still tells anything. */
export type Loss =
  | {
      readonly kind: "counted";
      /** Made since the backup: gone. */
      readonly made: readonly string[];
      /** Changed since: as they were. */
      readonly changed: readonly string[];
      /** Deleted since: back again. */
      readonly deleted: readonly string[];
    }
  | { readonly kind: "unknown"; readonly reason: string };

/** Milliseconds that a castle which may be dead has to tell what it holds. */
const PATIENCE = 20_000;

/** @throws CastleError command/interrupted */
export async function lossSince(
  run: Pick<CastleRun, "castle" | "ground" | "store" | "signal">,
  backup: EtcdHistory,
): Promise<Loss> {
  const talosconfig = await run.store.get("talosconfig");
  if (talosconfig === undefined) {
    return { kind: "unknown", reason: `${run.store.description} has no credentials to ask it with` };
  }
  const clients = new NodeClients(run, readCredentials(talosconfig));
  const deadline = AbortSignal.timeout(PATIENCE);
  try {
    const { history } = await readEtcd(run.castle, clients, AbortSignal.any([run.signal, deadline]));
    return lossOf(differenceOf(backup.keysAt(), history.keysAt()));
  } catch (error) {
    if (!(error instanceof CastleError) || run.signal.aborted) throw error;
    return { kind: "unknown", reason: error.message };
  } finally {
    clients.close();
  }
}

function lossOf({ added, changed, missing }: Difference): Loss {
  return { kind: "counted", made: told(added), changed: told(changed), deleted: told(missing) };
}

/** What a cluster writes all the time by itself, and nobody would miss. */
const PASSING =
  /^\/registry\/(?:events|leases|masterleases|ranges|minions|csinodes|endpointslices|services\/endpoints|certificatesigningrequests|apiregistration\.k8s\.io)\//;

/** /registry/configmaps/default/canary → configmaps/default/canary */
function told(keys: readonly string[]): readonly string[] {
  return keys.filter((key) => !PASSING.test(key)).map((key) => key.slice(REGISTRY.length));
}
