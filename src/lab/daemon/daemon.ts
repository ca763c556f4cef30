import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { Server } from "node:http";
import { pid } from "node:process";
import type { Report } from "../../journal/step.ts";
import { Secret } from "../../support/secret.ts";
import { type LockHolder, withProcessLock } from "../../support/process-lock.ts";
import { CastleError } from "../../errors/castle-error.ts";
import type { LabFolders } from "../folders.ts";
import { type Hypervisor, startHypervisor } from "../hypervisor/hypervisor.ts";
import { Lan } from "../lan/lan.ts";
import { ContainerMachines } from "../machine/container-machines.ts";
import { usage } from "../machine/usage.ts";
import type { SeedImage } from "../lan/registry-seed.ts";
import type { OperationRequest } from "./control-protocol.ts";
import { type ControlHandlers, serveControl } from "./control-server.ts";
import { writeDescriptor } from "./descriptor-file.ts";
import { forgetFailure, writeFailure } from "./failure-file.ts";
import { noteOwner } from "./owner.ts";
import { type MachineRoom, machineRoom } from "./machine-room.ts";
import { type LabSettings, writeSettings } from "./settings.ts";

export interface DaemonOptions {
  readonly folders: LabFolders;
  readonly settings: LabSettings;
  /** Aborted: the daemon ends and leaves LAN and machines as they are, for the next daemon to find. */
  readonly signal: AbortSignal;
  /** A line for the daemon's log. No secrets. */
  readonly log: (line: string) => void;
}

/**
 * The lab: its LAN, its machines, the Proxmox API in front of them, and the control socket. Picks up what an earlier
 * daemon, or a restart of the host, left. Returns when it was told to stop.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { folders } = options;
  await mkdir(folders.run, { recursive: true, mode: 0o700 });
  const lock = {
    path: folders.daemonLock,
    work: "lab serve",
    refused: (holder: LockHolder | undefined) => alreadyServed(folders.lab, holder),
  };
  await withProcessLock(lock, async () => {
    await noteOwner(folders);
    await forgetFailure(folders);
    const closers: Closer[] = [];
    try {
      await serve(options, (closer) => closers.unshift(closer));
    } catch (error) {
      await writeFailure(folders, error);
      throw error;
    } finally {
      // A daemon that did not come up must end too, and nothing that it opened may keep it.
      for (const close of closers) await close();
    }
  });
}

type Closer = () => unknown;

function alreadyServed(lab: string, holder: LockHolder | undefined): CastleError {
  return new CastleError("lab/start-failed", {
    message: `lab ${lab} has a daemon already${holder === undefined ? "" : `: process ${holder.process.pid}`}`,
    hint: `castle lab status ${lab}`,
  });
}

async function serve(
  { folders, settings, signal, log }: DaemonOptions,
  atEnd: (closer: Closer) => void,
): Promise<void> {
  let control: Server | undefined;
  // At the very last: the one who said stop is still waiting for the answer.
  atEnd(() => {
    control?.close();
    control?.closeAllConnections();
  });
  const report: Report = (event) => {
    if (event.type === "warning") log(event.message);
  };
  const lan = await Lan.open({
    ...lanPlace(folders),
    ...settings.network,
    bridges: [settings.bridge],
    programs: { registry: settings.parts.registry, dns: settings.parts.coredns },
    agent: settings.agent,
    report,
  });
  atEnd(() => lan.close());
  await lan.seed(settings.parts.images.map(withoutHost));
  const machines = await ContainerMachines.open(
    { lab: folders.lab, state: folders.state },
    {
      rootfs: settings.parts.rootfs.path,
      runc: settings.parts.runc,
      images: settings.parts.nodeImages,
    },
  );
  atEnd(() => machines.close());
  const hypervisor = await openHypervisor(folders, settings, machines, log);
  atEnd(() => hypervisor.close());
  await hypervisor.resume();

  const stop = new AbortController();
  const stopped = once(AbortSignal.any([signal, stop.signal]), "abort");
  const room = machineRoom(hypervisor.datacenter, machines);
  // Written again when services were added to the LAN.
  const describe = () =>
    writeDescriptor(folders, {
      name: folders.lab,
      pid,
      api: {
        endpoint: hypervisor.endpoint,
        token: `${settings.token.id}=${settings.token.secret}`,
        certificate: hypervisor.certificate,
      },
      hosts: settings.hosts,
      network: settings.network,
      lan: lan.endpoints,
    });
  control = await serveControl(
    folders.control,
    handlers({ folders, lan, room, describe, stop: () => stop.abort() }),
  );
  await describe();
  log(`lab ${folders.lab} is up at ${hypervisor.endpoint}`);

  await stopped;
}

async function openHypervisor(
  folders: LabFolders,
  settings: LabSettings,
  driver: ContainerMachines,
  log: (line: string) => void,
): Promise<Hypervisor> {
  const hypervisor = await startHypervisor({
    settings: {
      hosts: settings.hosts,
      token: { id: settings.token.id, secret: new Secret(settings.token.secret) },
      storages: [
        { name: settings.imageDatastore, type: "dir", content: ["iso", "import", "images"] },
        { name: settings.datastore, type: "lvmthin", content: ["images"] },
      ],
      bridges: [settings.bridge],
      talosVersions: [settings.parts.rootfs.version],
    },
    stateFolder: folders.state,
    driver,
    port: settings.port,
    log,
  });
  const port = Number(new URL(hypervisor.endpoint).port);
  // The port stays: Terraform's state and people's settings name it.
  if (port !== settings.port) await writeSettings(folders, { ...settings, port });
  return hypervisor;
}

interface HandlerParts {
  readonly folders: LabFolders;
  readonly lan: Lan;
  readonly room: MachineRoom;
  readonly describe: () => Promise<void>;
  readonly stop: () => void;
}

function handlers({ folders, lan, room, describe, stop }: HandlerParts): ControlHandlers {
  return {
    status: async () => {
      const [machines, used] = await Promise.all([room.machines(), usage(folders.lab)]);
      return {
        name: folders.lab,
        pid,
        machines,
        memory: used.reduce((sum, { memory }) => sum + memory, 0),
        forwards: lan.forwards.list().map(({ name, port }) => ({ name, port })),
      };
    },
    sites: async ({ sites }) => ({ port: await lan.siteDoor.lead(sites) }),
    forward: async ({ name, targets }) => {
      const { host, port } = await lan.forwards.forward(name, targets);
      return { host, port };
    },
    power: async ({ vmid, action }) => {
      await press(room, vmid, action);
      return {};
    },
    link: async ({ vmid, up }) => {
      await room.setLink(vmid, up);
      return {};
    },
    probe: async ({ address }) => lan.probe(address),
    hosts: async ({ records }) => {
      await lan.setHosts(
        Object.fromEntries(Object.entries(records).map(([name, address]) => [name, [address]])),
      );
      return {};
    },
    services: async (wanted) => {
      const endpoints = await lan.ensureServices(wanted);
      await describe();
      return endpoints;
    },
    images: async ({ images }) => {
      await lan.seed(images.map(withoutHost));
      return {};
    },
    stop: async () => {
      // Machines that the sweep kills would look like crashed ones, which stay off; services would be started again.
      await room.blackout();
      await lan.close();
      stop();
      return {};
    },
  };
}

function press(room: MachineRoom, vmid: number, action: OperationRequest<"power">["action"]): Promise<void> {
  switch (action) {
    case "on":
      return room.powerOn(vmid);
    case "off":
      return room.shutDown(vmid);
    case "cut":
      return room.powerOff(vmid);
    default:
      return action satisfies never;
  }
}

function lanPlace({ lab, state, lanRun, sharedRun }: LabFolders) {
  return { lab, state, run: lanRun, shared: sharedRun };
}

/** One registry stands in for all: a mirror is asked by path, without the host that the image names. */
function withoutHost(image: SeedImage): SeedImage {
  return { ...image, repository: image.repository.slice(image.repository.indexOf("/") + 1) };
}
