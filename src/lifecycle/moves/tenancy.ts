import { CastleError } from "../../errors/castle-error.ts";
import { connectCluster } from "../../kubernetes/cluster.ts";
import type { CastleNode } from "../../spec/castle.ts";
import type { CastleRun } from "../castle-run.ts";
import { kubeconfigFromHere } from "../kubeconfig.ts";
import { NodeClients } from "../raise/node-clients.ts";
import { readCredentials } from "../../talos/talosconfig.ts";
import { type Ledger, type Quarantined, begun, commandOf, contested, released, settled } from "./ledger.ts";
import { changeLedger, readLedger } from "./ledger-file.ts";
import { whoRemembers } from "./memory.ts";

const ON_ITS_WAY = "a node is on its way out";
const HALF_DONE = {
  replace: ON_ITS_WAY,
  scale: ON_ITS_WAY,
  ghosts: ON_ITS_WAY,
  restore: "its etcd was wiped, and the backup is not back in it",
} as const;

/** Refuses to do anything else before what was begun is done. @throws CastleError lifecycle/unfinished */
export async function refuseUnfinished(
  { castle, home }: Pick<CastleRun, "castle" | "home">,
  isOurs: (unfinished: NonNullable<Ledger["unfinished"]>) => boolean = () => false,
): Promise<void> {
  const { unfinished } = await readLedger(home);
  if (unfinished === undefined || isOurs(unfinished)) return;
  throw new CastleError("lifecycle/unfinished", {
    message: `castle ${unfinished.verb} was interrupted on castle ${castle.name}: ${HALF_DONE[unfinished.verb]}`,
    hint: commandOf(unfinished),
    details: { unfinished },
  });
}

/**
 * Looks whether the nodes may have their addresses. One that a removed control plane had is free again as soon as etcd,
 * discovery and Kubernetes have all forgotten it; that is noted.
 * @throws CastleError lifecycle/quarantined with who remembers what
 */
export async function claimAddresses(run: CastleRun, nodes: readonly CastleNode[]): Promise<void> {
  const { home } = run;
  const wanted = contested(await readLedger(home), nodes);
  if (wanted.length === 0) return;
  const remembered = await memories(run, wanted);
  await changeLedger(home, (ledger) =>
    released(
      ledger,
      wanted.filter((lease) => remembered.get(lease)?.length === 0),
    ),
  );
  const told = [...remembered].filter(([, facts]) => facts.length > 0);
  if (told.length === 0) return;
  throw new CastleError("lifecycle/quarantined", {
    message: told
      .map(
        ([{ name, address }, facts]) => `${address} was ${name}'s and is in quarantine: ${facts.join("; ")}`,
      )
      .join("\n"),
    hint: "castle ghosts names who is left; give the node another address in castle.yaml, or wait until it is forgotten",
    details: { quarantined: told.map(([{ name, address }, facts]) => ({ name, address, facts })) },
  });
}

/** The addresses in quarantine that somebody still remembers; what is forgotten is given free on the way. */
export async function quarantinedAddresses(run: CastleRun): Promise<readonly string[]> {
  const { quarantine } = await readLedger(run.home);
  if (quarantine.length === 0) return [];
  const remembered = await memories(run, quarantine);
  return quarantine.flatMap((lease) => (remembered.get(lease)?.length === 0 ? [] : [lease.address]));
}

/** Notes that the castle's nodes stand where the spec says, with an etcd that has its data. */
export async function settle({ castle, home }: Pick<CastleRun, "castle" | "home">): Promise<void> {
  await changeLedger(home, (ledger) => {
    const standing = settled(ledger, castle);
    return standing.unfinished?.verb === "restore" ? begun(standing, undefined) : standing;
  });
}

async function memories(
  run: CastleRun,
  leases: readonly Quarantined[],
): Promise<ReadonlyMap<Quarantined, readonly string[]>> {
  const [talosconfig, kubeconfig] = await Promise.all([
    run.store.get("talosconfig"),
    run.store.get("kubeconfig"),
  ]);
  if (talosconfig === undefined) return new Map(leases.map((lease) => [lease, []]));
  const clients = new NodeClients(run, readCredentials(talosconfig));
  const cluster =
    kubeconfig === undefined ? undefined : connectCluster(await kubeconfigFromHere(run, kubeconfig));
  try {
    const asked = leases.map(
      async (lease) => [lease, await whoRemembers({ run, clients, cluster }, lease)] as const,
    );
    return new Map(await Promise.all(asked));
  } finally {
    clients.close();
  }
}
