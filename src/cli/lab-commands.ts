import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { type Report, runStep } from "../journal/step.ts";
import { closeLab } from "../lab/daemon/close.ts";
import type { LabMachine } from "../lab/daemon/control-protocol.ts";
import { type RunningLab, findLab } from "../lab/daemon/launch.ts";
import { readSettings } from "../lab/daemon/settings.ts";
import type { LabFolders } from "../lab/folders.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import type { AnswerOf } from "./answer.ts";
import { confirm } from "./confirm.ts";
import type { Context } from "./context.ts";
import { labOf, machinesOnDisk, specOfLab } from "./lab-choice.ts";
import { assertRoot, labExists, labPrograms, labSettings, startLab } from "./lab-session.ts";
import { ensureLabParts, openParts } from "./parts-session.ts";
import { table } from "./table.ts";

export interface LabChoice {
  readonly file: string;
  /** LAB of the command line. */
  readonly lab: string | undefined;
}

/** An empty hypervisor, or the lab as it was before the host restarted: with the machines that were on. */
export async function labUp(
  context: Context,
  report: Report,
  { installTools, ...choice }: LabChoice & { readonly installTools: boolean },
): Promise<AnswerOf<"LabUp">> {
  assertRoot(context);
  const folders = await labOf(context, choice);
  const kept = await readSettings(folders);
  await ensureLabParts(context, ["machines"], { report, installTools });
  const store = openParts(context);
  const settings =
    kept === undefined
      ? await newSettings(context, choice, folders)
      : { ...kept, ...(await labPrograms(context, store)) };
  const lab = await startLab(context, { folders, settings, report });
  const { machines } = await lab.control.call("status", {});
  const files = await writeClientFiles(folders, lab);
  const { endpoint } = lab.descriptor.api;
  return {
    kind: "LabUp",
    data: { lab: folders.lab, endpoint, ...files, machines },
    text: [
      `Lab ${folders.lab} is up: a Proxmox VE API at ${endpoint}, ${machines.length} machines`,
      `For Terraform and other clients: set -a; . ${files.environment}; set +a`,
      "It sets PROXMOX_VE_ENDPOINT, PROXMOX_VE_API_TOKEN and SSL_CERT_FILE; only root may read it.",
      "Next: castle up, castle lab status",
    ].join("\n"),
  };
}

async function newSettings(context: Context, choice: LabChoice, folders: LabFolders) {
  const { castle, hypervisor } = await specOfLab(context, choice.file, folders.lab);
  return labSettings(context, castle, hypervisor, openParts(context));
}

/** Endpoint, token and certificate where only root reads them: a token does not belong on a terminal. */
async function writeClientFiles(
  { state }: LabFolders,
  { descriptor: { api } }: RunningLab,
): Promise<{ readonly environment: string; readonly certificate: string }> {
  const environment = join(state, "client.env");
  const certificate = join(state, "client.pem");
  const lines = [
    `PROXMOX_VE_ENDPOINT='${api.endpoint}'`,
    `PROXMOX_VE_API_TOKEN='${api.token}'`,
    `SSL_CERT_FILE='${certificate}'`,
  ];
  await writeFileAtomic(certificate, api.certificate);
  await writeFileAtomic(environment, `${lines.join("\n")}\n`);
  return { environment, certificate };
}

/** Takes a lab away with everything that it made; its machines are asked about first. */
export async function labDown(
  context: Context,
  report: Report,
  { keepDisks, yes, ...choice }: LabChoice & { readonly keepDisks: boolean; readonly yes: boolean },
): Promise<AnswerOf<"LabDown">> {
  const folders = await labOf(context, choice);
  const { lab } = folders;
  if (!(await labExists(context, lab))) {
    return { kind: "LabDown", data: { lab, kept: false }, text: `Lab ${lab} is down already` };
  }
  assertRoot(context);
  const machines = await machinesOnDisk(folders);
  if (!keepDisks && machines.length > 0) {
    const many = machines.length === 1 ? "its machine" : `its ${machines.length} machines`;
    await confirm(context, yes, `take away lab ${lab} with ${many} and all that is on their disks`);
  }
  await runStep(report, { id: "lab", title: `Lab ${lab} taken away` }, async () => {
    await closeLab({ folders, keepDisks });
    return { detail: keepDisks ? "disks kept" : "nothing left" };
  });
  if (!keepDisks) await rm(folders.state, { recursive: true, force: true });
  const next = keepDisks ? `; castle lab up ${lab} starts again the machines that were on` : "";
  return { kind: "LabDown", data: { lab, kept: keepDisks }, text: `Lab ${lab} is down${next}` };
}

/** What runs in a lab. Exit code 3 where it is not up. */
export async function labStatus(context: Context, choice: LabChoice): Promise<AnswerOf<"LabStatus">> {
  const folders = await labOf(context, choice);
  const running = await findLab(folders);
  if (running === undefined) return labIsDown(context, folders);
  const { machines, memory, forwards, pid } = await running.control.call("status", {});
  const { descriptor } = running;
  const rows = machines.map((machine) => [
    machine.name,
    String(machine.vmid),
    machine.host,
    machine.state,
    machine.addresses.join(", "),
  ]);
  return {
    kind: "LabStatus",
    data: {
      lab: folders.lab,
      up: true,
      pid,
      endpoint: descriptor.api.endpoint,
      network: descriptor.network,
      hosts: descriptor.hosts,
      machines,
      memory,
      forwards,
    },
    text: [
      `Lab ${folders.lab} is up: process ${pid}, Proxmox VE API at ${descriptor.api.endpoint}`,
      `  network ${descriptor.network.cidr} behind ${descriptor.network.gateway}, hosts ${descriptor.hosts.join(", ")}`,
      `  memory of its machines: ${(memory / 1024 ** 2).toFixed(0)} MiB`,
      ...forwards.map(({ name, port }) => `  127.0.0.1:${port} leads to ${name}`),
      "",
      table([["MACHINE", "VMID", "HOST", "STATE", "ADDRESS"], ...rows]),
    ].join("\n"),
  };
}

async function labIsDown(context: Context, folders: LabFolders): Promise<AnswerOf<"LabStatus">> {
  const { lab } = folders;
  const [machines, exists] = await Promise.all([machinesOnDisk(folders), labExists(context, lab)]);
  const what =
    machines.length > 0
      ? `; the disks of ${machines.length} machines are kept. Next: castle lab up ${lab}`
      : exists
        ? `; something of it is left on this host. Next: castle lab down ${lab}`
        : ". Next: castle lab up";
  return {
    kind: "LabStatus",
    data: { lab, up: false, hosts: [], machines: [], memory: 0, forwards: [] },
    text: `Lab ${lab} is not up${what}`,
    exit: 3,
  };
}

const DONE = { on: "is on", off: "has shut down", cut: "lost its power" } as const;

export async function labPower(
  context: Context,
  report: Report,
  { action, node, ...choice }: LabChoice & { readonly action: "on" | "off" | "cut"; readonly node: string },
): Promise<AnswerOf<"LabPower">> {
  const folders = await labOf(context, choice);
  const { control } = await runningLab(folders);
  const machine = await findMachine(folders.lab, control, node);
  await runStep(report, { id: "power", title: `${machine.name}: power ${action}` }, async () => {
    await control.call("power", { vmid: machine.vmid, action });
    return undefined;
  });
  return {
    kind: "LabPower",
    data: { lab: folders.lab, machine: machine.name, action },
    text: `${machine.name} ${DONE[action]}`,
  };
}

/** @throws CastleError lab/not-running */
export async function runningLab(folders: LabFolders): Promise<RunningLab> {
  const running = await findLab(folders);
  if (running !== undefined) return running;
  throw new CastleError("lab/not-running", {
    message: `Lab ${folders.lab} is not up`,
    hint: `castle lab up ${folders.lab}`,
  });
}

/** By its name or VM id. @throws CastleError lab/unknown-machine */
export async function findMachine(
  lab: string,
  control: RunningLab["control"],
  node: string,
): Promise<LabMachine> {
  const { machines } = await control.call("status", {});
  const machine = machines.find(({ name, vmid }) => name === node || String(vmid) === node);
  if (machine !== undefined) return machine;
  const names = machines.map(({ name }) => name).join(", ");
  throw new CastleError("lab/unknown-machine", {
    message: `Lab ${lab} has no machine ${node}; it has ${names === "" ? "none" : names}`,
    hint: `castle lab status ${lab}`,
  });
}
