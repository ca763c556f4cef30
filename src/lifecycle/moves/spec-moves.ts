import { CastleError } from "../../errors/castle-error.ts";
import { type Counts, type Layout, layoutOf, scaledLayout, shiftedLayout } from "../../spec/edit/layout.ts";
import { smallestEdit } from "../../spec/edit/spec-edit.ts";
import type { CastleRun } from "../castle-run.ts";
import { formerTexts } from "./ledger.ts";
import { readLedger } from "./ledger-file.ts";
import type { SpecMove } from "./spec-write.ts";
import { quarantinedAddresses } from "./tenancy.ts";

/** The castle.yaml that is to be edited. */
export interface SpecSource {
  readonly path: string;
  readonly text: string;
  /** As messages name it. */
  readonly file: string;
}

/**
 * The edit that makes so many nodes. New ones take addresses that are neither in quarantine nor answered on by others.
 * @throws CastleError spec/invalid, lifecycle/no-room
 */
export async function scaleMove(run: CastleRun, source: SpecSource, counts: Counts): Promise<SpecMove> {
  const { castle, ground } = run;
  const standing = new Set(castle.nodes.map(({ address }) => address));
  const avoid = [...(await quarantinedAddresses(run))];
  for (;;) {
    const layout = scaledLayout(castle, counts, avoid);
    const wanted = {
      controlPlanes: counts.controlPlanes ?? layoutOf(castle).controlPlanes.length,
      workers: counts.workers ?? layoutOf(castle).workers.length,
    };
    if (
      layout === undefined ||
      layout.controlPlanes.length < wanted.controlPlanes ||
      layout.workers.length < wanted.workers
    ) {
      throw new CastleError("lifecycle/no-room", {
        message: `${castle.network.cidr} has no free addresses for ${wanted.controlPlanes} control planes and ${wanted.workers} workers`,
        hint: "ask for fewer nodes, or enlarge network.cidr in castle.yaml",
      });
    }
    const fresh = [...layout.controlPlanes, ...layout.workers].filter((address) => !standing.has(address));
    const answers = await Promise.all(
      fresh.map(async (address) => ({ address, occupant: await ground.occupant(address) })),
    );
    const taken = answers.filter(({ occupant }) => occupant !== undefined);
    if (taken.length === 0) return moveTo(run, source, layout);
    avoid.push(...taken.map(({ address }) => address));
  }
}

/** The edit that moves the whole castle. @throws CastleError spec/invalid */
export function shiftMove(
  run: Pick<CastleRun, "castle" | "home">,
  source: SpecSource,
  { to, pool }: { readonly to: string; readonly pool?: string | undefined },
): Promise<SpecMove> {
  return moveTo(run, source, shiftedLayout(run.castle, to, pool));
}

async function moveTo(
  { home }: Pick<CastleRun, "home">,
  { path, text, file }: SpecSource,
  layout: Layout,
): Promise<SpecMove> {
  const former = formerTexts(await readLedger(home), text);
  return { ...smallestEdit({ text, former }, file, layout), path, before: text };
}
