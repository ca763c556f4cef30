import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import { runStep } from "../journal/step.ts";
import { closeLab } from "../lab/daemon/close.ts";
import { type RunningLab, ensureLab, findLab } from "../lab/daemon/launch.ts";
import { census } from "../lab/machine/census.ts";
import { type LabSettings, newToken } from "../lab/daemon/settings.ts";
import type { LabFolders } from "../lab/folders.ts";
import type { PartsStore } from "../lab/parts/store.ts";
import type { Castle, LabHypervisor } from "../spec/castle.ts";
import type { Context } from "./context.ts";
import { foldersOf } from "./lab-folders.ts";

/** @throws CastleError lab/not-root */
export function assertRoot(context: Context): void {
  if (context.uid === 0) return;
  throw new CastleError("lab/not-root", {
    message: "The lab makes network namespaces and mounts, which only root may do",
    hint: "run the same command with sudo, or raise the castle on a Proxmox rack: hypervisor: {proxmox: …}",
  });
}

/** The lab that a castle stands on, brought up if it is not. */
export async function openLab(
  context: Context,
  castle: Castle,
  hypervisor: LabHypervisor,
  { store, report }: { readonly store: PartsStore; readonly report: Report },
): Promise<RunningLab> {
  assertRoot(context);
  refuseOtherVersions(castle, store);
  const folders = foldersOf(context, hypervisor.lab);
  const settings = await labSettings(context, castle, hypervisor, store);
  return startLab(context, { folders, settings, report });
}

export interface LabStart {
  readonly folders: LabFolders;
  readonly settings: LabSettings;
  readonly report: Report;
}

/** Finds the lab up or brings it up, as a step of its own. */
export async function startLab(
  context: Context,
  { folders, settings, report }: LabStart,
): Promise<RunningLab> {
  let lab: RunningLab | undefined;
  await runStep(report, { id: "lab", title: `Lab ${folders.lab}` }, async () => {
    lab = await ensureLab({
      folders,
      settings,
      command: [...castleCommand(context), "lab", "serve", folders.lab],
      signal: context.signal,
    });
    return { detail: lab.descriptor.api.endpoint };
  });
  if (lab === undefined) throw new Error("the step ends with a lab or an error");
  return lab;
}

/** A lab boots what its parts are; another version has to be told before anything is made. */
function refuseOtherVersions({ talos, kubernetes }: Castle, store: PartsStore): void {
  const parts = { talos: store.part("node-rootfs").version, kubernetes: store.part("kubelet").version };
  const differing = [
    { what: "Talos", wanted: talos.version, has: parts.talos },
    { what: "Kubernetes", wanted: kubernetes.version, has: parts.kubernetes },
  ].filter(({ wanted, has }) => wanted !== has);
  if (differing.length === 0) return;
  throw new CastleError("lab/version", {
    message: differing
      .map(({ what, wanted, has }) => `the lab has ${what} ${has}, the spec says ${wanted}`)
      .join("; "),
    hint: `in castle.yaml: talos: {version: ${parts.talos}}, kubernetes: {version: ${parts.kubernetes}}; a rack takes any supported version`,
  });
}

export async function labSettings(
  context: Context,
  castle: Castle,
  hypervisor: LabHypervisor,
  store: PartsStore,
): Promise<LabSettings> {
  return {
    name: hypervisor.lab,
    network: { cidr: castle.network.cidr, gateway: castle.network.gateway },
    hosts: [...hypervisor.hosts],
    bridge: hypervisor.bridge,
    datastore: hypervisor.datastore,
    imageDatastore: hypervisor.imageDatastore,
    token: newToken(),
    port: 0,
    ...(await labPrograms(context, store)),
  };
}

/** What of a lab's settings lies on this machine and not in a spec. @throws CastleError parts/missing */
export async function labPrograms(
  context: Context,
  store: PartsStore,
): Promise<Pick<LabSettings, "parts" | "agent">> {
  const [rootfs, runc, registry, coredns, nodeImages, images] = await Promise.all([
    store.resolve("node-rootfs"),
    store.resolve("runc"),
    store.resolve("registry"),
    store.resolve("coredns"),
    store.resolve("node-images"),
    store.images(),
  ]);
  return {
    parts: {
      rootfs: { version: store.part("node-rootfs").version, path: rootfs },
      runc,
      registry,
      coredns,
      nodeImages,
      images,
    },
    agent: [...castleCommand(context), "lab", "agent"],
  };
}

function castleCommand({ executable, node }: Context): [string, ...string[]] {
  return [node, executable];
}

/** Whether anything of that lab is on this host, up or not. */
export async function labExists(context: Context, lab: string): Promise<boolean> {
  const { states } = foldersOf(context, lab);
  return (await census({ labs: { name: lab }, states })).length > 0;
}

/** Takes the lab away once it has no machine left. */
export async function closeEmptyLab(context: Context, lab: string, report: Report): Promise<void> {
  const folders = foldersOf(context, lab);
  const running = await findLab(folders);
  const machines = (await running?.control.call("status", {}))?.machines ?? [];
  if (machines.length > 0) return;
  await runStep(report, { id: "lab", title: `Lab ${lab} taken away` }, async () => {
    await closeLab({ folders, keepDisks: false });
    return undefined;
  });
}
