import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { IMAGE_TYPE, MACHINE_TYPE, titleOf } from "./address.ts";
import type { StateMachine } from "./state-file.ts";

const Values = z.record(z.string(), z.unknown()).nullish();

/** The parts of `terraform show -json` of a plan that castle reads. */
const PlanDocument = z.object({
  resource_changes: z
    .array(
      z.object({
        address: z.string(),
        type: z.string(),
        change: z.object({
          actions: z.array(z.string()),
          before: Values,
          after: Values,
          after_unknown: z.record(z.string(), z.unknown()).nullish(),
          importing: z.object({ id: z.string().optional() }).nullish(),
          replace_paths: z.array(z.array(z.unknown())).optional(),
        }),
      }),
    )
    .default([]),
});

export interface ResourceChange {
  readonly address: string;
  readonly title: string;
  /** Names of the provider's attributes that differ, of a replacement those that force it; sorted; of a creation none. */
  readonly attributes: readonly string[];
  /** The machine has to be stopped and started for it. */
  readonly restarts: boolean;
  /** The machine as Proxmox has it now. */
  readonly machine?: StateMachine;
}

export interface PlanSummary {
  readonly creates: readonly ResourceChange[];
  readonly updates: readonly ResourceChange[];
  readonly replaces: readonly ResourceChange[];
  readonly destroys: readonly ResourceChange[];
  /** Resources that exist and that Terraform takes over; one that has to be changed as well is in `updates` too. */
  readonly adopts: readonly ResourceChange[];
  /** Nothing would change. */
  readonly clean: boolean;
  /** Why this plan must not be applied: it would destroy or recreate a control plane. */
  readonly refusal?: string;
}

export const EMPTY_PLAN: PlanSummary = {
  creates: [],
  updates: [],
  replaces: [],
  destroys: [],
  adopts: [],
  clean: true,
};

/** The summary of a plan that only creates, for which Terraform's messages tell enough. */
export function creationOf(addresses: readonly string[]): PlanSummary {
  const creates = [...addresses]
    .sort()
    .map((address) => ({ address, title: titleOf(address), attributes: [], restarts: false }));
  return { ...EMPTY_PLAN, creates, clean: false };
}

/** Changes to these the provider makes with the machine off (or Proxmox applies them at the next start). */
const RESTARTING = new Set([
  "acpi",
  "agent",
  "bios",
  "boot_order",
  "cpu",
  "initialization",
  "keyboard_layout",
  "machine",
  "memory",
  "operating_system",
  "scsi_hardware",
  "tablet_device",
]);

/** Reads a plan as `terraform show -json` prints it. */
export function summarize(document: string): PlanSummary {
  const { resource_changes: changes } = PlanDocument.parse(JSON.parse(document));
  const rows = changes
    .filter(({ type }) => type === MACHINE_TYPE || type === IMAGE_TYPE)
    .map(({ address, change }) => ({
      action: actionOf(change.actions),
      adopts: change.importing !== undefined && change.importing !== null,
      controlPlane: tagsOf(change.before).includes("controlplane"),
      row: resourceChange(address, change),
    }))
    .sort((a, b) => (a.row.address < b.row.address ? -1 : 1));
  const pick = (action: Action) => rows.filter((row) => row.action === action).map(({ row }) => row);
  const doomed = rows.filter(
    ({ action, controlPlane }) => controlPlane && (action === "replace" || action === "destroy"),
  );
  const summary = {
    creates: pick("create"),
    updates: pick("update"),
    replaces: pick("replace"),
    destroys: pick("destroy"),
    adopts: rows.filter(({ adopts }) => adopts).map(({ row }) => row),
    clean: rows.every(({ action, adopts }) => action === "nothing" && !adopts),
  };
  return doomed.length === 0 ? summary : { ...summary, refusal: refusalOf(doomed) };
}

type Action = "create" | "update" | "replace" | "destroy" | "nothing";

function actionOf(actions: readonly string[]): Action {
  if (actions.includes("delete")) return actions.includes("create") ? "replace" : "destroy";
  if (actions.includes("create")) return "create";
  return actions.includes("update") ? "update" : "nothing";
}

type Change = z.infer<typeof PlanDocument>["resource_changes"][number]["change"];

function resourceChange(address: string, change: Change): ResourceChange {
  const attributes = actionOf(change.actions) === "create" ? [] : changedAttributes(change);
  const machine = address.startsWith(`${MACHINE_TYPE}.`) ? machineOf(change.before) : undefined;
  return {
    address,
    title: titleOf(address),
    attributes,
    restarts: attributes.some((attribute) => RESTARTING.has(attribute)),
    ...(machine === undefined ? {} : { machine }),
  };
}

function changedAttributes(change: Change): readonly string[] {
  const { before, after, after_unknown: unknown } = change;
  // A new machine's values are all unknown before it is there: only what forces it tells anything.
  const forcing = (change.replace_paths ?? []).map(([attribute]) => String(attribute));
  if (actionOf(change.actions) === "replace" && forcing.length > 0) return [...new Set(forcing)].sort();
  if (!before || !after) return [];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const known = [...keys].filter((key) => !isDeepStrictEqual(before[key] ?? null, after[key] ?? null));
  const computed = Object.entries(unknown ?? {}).filter(([, value]) => value === true);
  return [...new Set([...known, ...computed.map(([key]) => key)])].sort();
}

const MachineValues = z.object({ name: z.string().nullish(), vm_id: z.number(), node_name: z.string() });

function machineOf(values: Change["before"]): ResourceChange["machine"] {
  const parsed = MachineValues.safeParse(values);
  if (!parsed.success) return undefined;
  return { name: parsed.data.name ?? "", vmid: parsed.data.vm_id, host: parsed.data.node_name };
}

function tagsOf(values: Change["before"]): readonly string[] {
  return z.array(z.string()).catch([]).parse(values?.["tags"]);
}

function refusalOf(doomed: readonly { action: Action; row: ResourceChange }[]): string {
  const list = doomed.map(({ action, row }) => {
    const because = row.attributes.length === 0 ? "" : ` (${row.attributes.join(", ")})`;
    return `${action} ${row.machine?.name ?? row.title}${because}`;
  });
  return `the plan would ${list.join(" and ")}: control planes are never destroyed or recreated by castle up`;
}
