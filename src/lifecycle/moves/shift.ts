import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import { runStep } from "../../journal/step.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { Castle } from "../../spec/castle.ts";
import type { CastleRun } from "../castle-run.ts";
import { keepCertificates } from "../certificates/before-down.ts";
import { terraformOf } from "../raise/machines.ts";
import { reset } from "../reset/reset.ts";
import { type Raised, up } from "../up.ts";
import { cleared } from "./ledger.ts";
import { changeLedger } from "./ledger-file.ts";
import { type SpecMove, runFor, writeSpec } from "./spec-write.ts";
import { refuseUnfinished } from "./tenancy.ts";

/**
 * The seed's network shift: every node wiped and proved empty at its old address, its machine made anew at the new one,
 * and the castle raised there with the secrets and certificates of before. castle.yaml is edited once nothing is left at
 * the old addresses: killed before, the same command goes on with the old ones; killed after, it and `up` do the same.
 * @throws CastleError lifecycle/address-taken, lifecycle/unfinished
 */
export async function shift(run: CastleRun, move: SpecMove): Promise<Raised> {
  await refuseUnfinished(run);
  if (movesNodes(run, move)) {
    await refuseOccupied(run, move.castle);
    if ((await run.store.get("talosconfig")) !== undefined) {
      await keepCertificates(run);
      await reset(run);
    }
    const step = { id: "machines-gone", title: "Machines deleted at the old addresses" };
    await runStep(run.report, step, async () => {
      const gone = await terraformOf(run, step.id).remove(
        run.castle.nodes.map(({ name }) => name),
        run.signal,
      );
      return { detail: gone.length === 0 ? "there were none" : gone.join(", ") };
    });
    await changeLedger(run.home, cleared);
  }
  await runStep(run.report, { id: "spec", title: "castle.yaml" }, async () => {
    await writeSpec(run, move);
    return { detail: move.text === move.before ? "says it already" : "edited" };
  });
  return up(runFor(run, move));
}

/** Another pool alone is no reason to wipe anything. */
export function movesNodes({ castle }: Pick<CastleRun, "castle">, { castle: edited }: SpecMove): boolean {
  return !isDeepStrictEqual(addressesOf(castle), addressesOf(edited));
}

function addressesOf({ network, nodes }: Castle): readonly string[] {
  return [network.vip, ...nodes.map(({ address }) => address)];
}

export interface Occupied {
  readonly who: string;
  readonly address: string;
  readonly occupant: string;
}

/**
 * Which of the new addresses somebody else answers on. Those that the castle itself has now are not asked: it will not
 * have them any more.
 */
export async function occupiedAddresses(run: CastleRun, castle: Castle): Promise<readonly Occupied[]> {
  const own = new Set([run.castle.network.vip, ...run.castle.nodes.map(({ address }) => address)]);
  const wanted = [
    { who: "the VIP", address: castle.network.vip },
    ...castle.nodes.map(({ name, address }) => ({ who: name, address })),
  ].filter(({ address }) => !own.has(address));
  const answers = await Promise.all(
    wanted.map(async (place) => ({ ...place, occupant: await run.ground.occupant(place.address) })),
  );
  return answers.flatMap(({ occupant, ...place }) =>
    occupant === undefined ? [] : [{ ...place, occupant }],
  );
}

async function refuseOccupied(run: CastleRun, castle: Castle): Promise<void> {
  const step = { id: "lan", title: `New addresses looked for on the network (${run.ground.probes})` };
  await runStep(run.report, step, async () => {
    const taken = await occupiedAddresses(run, castle);
    if (taken.length === 0) return { detail: "all are silent" };
    throw new CastleError("lifecycle/address-taken", {
      message: taken
        .map(({ who, address, occupant }) => `${address}, meant for ${who}, is taken by ${occupant}`)
        .join("; "),
      hint: "nothing was changed; shift to other addresses, or take the other machine off the network",
      details: { taken },
    });
  });
}

const volumesShape = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({
        claimRef: z.object({ namespace: z.string().optional(), name: z.string().optional() }).optional(),
      }),
    }),
  ),
});

/** The persistent volumes, which a wipe loses: "pvc-… (blog/data)". @throws CastleError kubernetes/… */
export async function persistentVolumes(api: KubernetesApi, signal: AbortSignal): Promise<readonly string[]> {
  const { status, body } = await api.call({ path: "/api/v1/persistentvolumes", signal, within: 5_000 });
  if (status !== 200) {
    throw new CastleError("kubernetes/unreachable", {
      message: `The Kubernetes API answered ${status} when asked for its persistent volumes`,
    });
  }
  return volumesShape.parse(body).items.map(({ metadata, spec: { claimRef } }) => {
    const claim = claimRef?.name === undefined ? "unclaimed" : `${claimRef.namespace ?? ""}/${claimRef.name}`;
    return `${metadata.name} (${claim})`;
  });
}
