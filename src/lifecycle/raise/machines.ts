import { CastleError } from "../../errors/castle-error.ts";
import { ownershipTag } from "../../infra/ownership.ts";
import { assertReady, preflight } from "../../infra/preflight.ts";
import { type Machine, ProxmoxClient } from "../../infra/proxmox-client.ts";
import type { PlanSummary } from "../../infra/plan-summary.ts";
import { registerSchematic } from "../../infra/schematic.ts";
import { Terraform } from "../../infra/terraform.ts";
import { piecesOf } from "../../journal/step.ts";
import type { CastleRun } from "../castle-run.ts";

/** @param step the step that Terraform's work on single resources is told as a piece of */
export function terraformOf(
  { castle, home, ground, programs, report }: CastleRun,
  step = "machines",
): Terraform {
  return new Terraform({
    castle,
    connection: ground.proxmox,
    directory: home.terraform,
    program: programs.terraform,
    ...(ground.terraformConfig === undefined ? {} : { cliConfig: ground.terraformConfig }),
    report: piecesOf(step, report),
  });
}

/**
 * The machines as the spec has them, by Terraform. What stands in the way is found before anything is created.
 * Changes that restart a machine are left for `rollChanges`: those go one node at a time.
 * @param secrets resolved when the castle's secrets are kept: no machine is made that they could be lost for
 */
export async function ensureMachines(
  run: CastleRun,
  secrets: Promise<unknown>,
): Promise<{ detail: string; plan: PlanSummary }> {
  const { castle, ground, signal } = run;
  // The factory builds no image of a schematic that it was never shown.
  if (ground.kind === "rack") await registerSchematic(castle.talos.extensions, { signal });
  const terraform = terraformOf(run);
  const checks = checkGround(run);
  // Both are slow and neither depends on the other; whichever fails first is told.
  const [plan] = await Promise.all([terraform.plan({ signal }), checks]);
  await secrets;
  const restarts = plan.updates.filter((change) => change.restarts);
  // A plan that is refused is refused here, before anything of it is rolled out.
  if (restarts.length === 0 || plan.refusal !== undefined) await terraform.apply(signal);
  return { detail: describe(plan), plan };
}

async function checkGround(run: CastleRun): Promise<void> {
  const { castle, ground, signal } = run;
  const client = new ProxmoxClient(ground.proxmox);
  try {
    const [faults, machines] = await Promise.all([
      preflight(castle, ground.proxmox, { client, signal }),
      client.machines(signal),
    ]);
    assertReady(faults);
    await refuseTakenAddresses(run, machines);
  } finally {
    await client.close();
  }
}

/** Addresses of machines that are still to be made, and the VIP of a castle that has no control plane, must be silent. */
async function refuseTakenAddresses(
  { castle, ground }: CastleRun,
  machines: readonly Machine[],
): Promise<void> {
  const tag = ownershipTag(castle.name);
  const exists = (vmid: number) =>
    machines.some((machine) => machine.vmid === vmid && machine.tags.includes(tag));
  const missing = castle.nodes.filter(({ vmid }) => !exists(vmid));
  const anyControlPlane = castle.nodes.some(({ role, vmid }) => role === "controlplane" && exists(vmid));
  const wanted = [
    ...missing.map(({ name, address }) => ({ who: name, address })),
    ...(anyControlPlane ? [] : [{ who: "the VIP", address: castle.network.vip }]),
  ];
  const answers = await Promise.all(
    wanted.map(async ({ who, address }) => ({ who, address, occupant: await ground.occupant(address) })),
  );
  const taken = answers.filter(({ occupant }) => occupant !== undefined);
  if (taken.length === 0) return;
  throw new CastleError("lifecycle/address-taken", {
    message: taken
      .map(({ who, address, occupant }) => `${address}, meant for ${who}, is taken by ${occupant}`)
      .join("; "),
    hint: "give the castle other addresses in castle.yaml, or take the other machine off the network",
    details: { taken },
  });
}

function describe({ creates, updates, adopts, clean }: PlanSummary): string {
  if (clean) return "no changes";
  return [
    creates.length > 0 ? `${creates.length} created` : "",
    updates.length > 0 ? `${updates.length} changed` : "",
    adopts.length > 0 ? `${adopts.length} taken over` : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}
