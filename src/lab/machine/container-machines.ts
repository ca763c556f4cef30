import { exists } from "../../support/exists.ts";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import { signal } from "../../support/process-identity.ts";
import { boundConsole, saidSincePowerOn } from "./console.ts";
import { exitCodeOf, extinguish, findInit, findSupervisor, launch, type MachineParts } from "./container.ts";
import { Descents } from "./descent.ts";
import { emptyDisk, fillDisk } from "./disk.ts";
import { exitCause } from "./exit-cause.ts";
import { type MachineHost, observeHost } from "./host.ts";
import type { Exit, MachineConfig, MachineDriver, PowerState } from "./machine.ts";
import { type LabPlace, type MachineNames, machineNames, machinesFolder } from "./names.ts";
import { connect, disconnect, setCables, unplug } from "./network.ts";
import { bootFiles, ociSpec } from "./oci-spec.ts";
import { oomScoreChange } from "./oom-score.ts";
import { imageMounts } from "./unpacked-images.ts";

type ExitListener = (vmid: number, exit: Exit) => void;

/** Milliseconds between two looks at the running machines; a look reads a few small files of each. */
const WATCH_EVERY = 200;

/**
 * A lab's machines as real Talos nodes in containers. The processes belong to no daemon: whoever opens the same place
 * again finds them running, and is told of those that ended by themselves meanwhile.
 */
export class ContainerMachines implements MachineDriver {
  readonly #place: LabPlace;
  readonly #parts: MachineParts;
  readonly #host: MachineHost;
  readonly #turns = new Map<number, Promise<unknown>>();
  readonly #listeners: ExitListener[] = [];
  /** Ends that nobody has been told of, because nobody listens yet. */
  readonly #untold: [number, Exit][] = [];
  readonly #watch: NodeJS.Timeout;
  /** Ends that are being dealt with. */
  readonly #ending = new Map<number, Promise<void>>();
  readonly #descents = new Descents();
  #looking = false;

  private constructor(place: LabPlace, parts: MachineParts, host: MachineHost) {
    this.#place = place;
    this.#parts = parts;
    this.#host = host;
    this.#watch = setInterval(() => void this.#look(), WATCH_EVERY);
    this.#watch.unref();
  }

  /** @throws CastleError machine/no-image */
  static async open(place: LabPlace, parts: MachineParts): Promise<ContainerMachines> {
    if (!(await exists(join(parts.rootfs, "usr/sbin/init")))) {
      throw new CastleError("machine/no-image", {
        message: `${parts.rootfs} is no root file system of a Talos node: usr/sbin/init is missing in it`,
        hint: "castle parts build",
      });
    }
    const machines = new ContainerMachines(place, parts, await observeHost());
    await machines.#look();
    return machines;
  }

  /** Stops watching. The machines go on. */
  close(): void {
    clearInterval(this.#watch);
  }

  onExit(listener: ExitListener): void {
    this.#listeners.push(listener);
    for (const [vmid, exit] of this.#untold.splice(0)) listener(vmid, exit);
  }

  async create(vmid: number): Promise<void> {
    await this.#inTurn(vmid, async (names) => {
      await mkdir(names.home, { recursive: true, mode: 0o700 });
    });
  }

  /** @throws CastleError machine/no-lan, machine/start-failed, machine/start-timed-out; nothing half-made stays */
  async start(config: MachineConfig): Promise<void> {
    await this.#inTurn(config.vmid, async (names) => {
      if ((await findInit(this.#place.lab, names)) !== undefined) return;
      // An end that nobody has looked at yet may have been a Reset: it is told, and the disks are emptied, first.
      await this.#dealWithEnd(config.vmid, names);
      await this.#clear(config.vmid, names);
      try {
        await this.#prepareBoot(config, names);
        await connect(this.#place.lab, config, names.namespace);
        await launch(this.#place.lab, names, this.#parts);
      } catch (error) {
        await this.#clear(config.vmid, names);
        throw error;
      }
    });
  }

  async powerOff(vmid: number): Promise<void> {
    await this.#inTurn(vmid, (names) => this.#pullPlug(vmid, names));
  }

  /** @throws CastleError machine/shutdown-timed-out */
  async shutdown(vmid: number, timeout: number, force: boolean): Promise<void> {
    await this.#inTurn(vmid, async (names) => {
      const init = await findInit(this.#place.lab, names);
      if (init !== undefined) {
        await writeFile(names.pullingPlug, "", { mode: 0o600 });
        await signal(init, "SIGTERM");
        await this.#untilOff(names, timeout).catch(async (error: unknown) => {
          if (force) return;
          await rm(names.pullingPlug, { force: true });
          throw error;
        });
      }
      await this.#pullPlug(vmid, names);
    });
  }

  /** @throws CastleError machine/not-running */
  async setLink(vmid: number, up: boolean): Promise<void> {
    await this.#inTurn(vmid, async (names) => {
      if ((await findInit(this.#place.lab, names)) === undefined) {
        throw new CastleError("machine/not-running", {
          message: `Machine ${vmid} of lab ${this.#place.lab} is off: it has no cable to ${up ? "plug in" : "cut"}`,
          hint: "castle lab power on NODE",
        });
      }
      await setCables(this.#place.lab, vmid, up);
    });
  }

  async destroy(vmid: number): Promise<void> {
    await this.#inTurn(vmid, async (names) => {
      await this.#pullPlug(vmid, names);
      await rm(names.home, { recursive: true, force: true });
    });
  }

  /** @throws CastleError machine/running */
  async wipe(vmid: number): Promise<void> {
    await this.#inTurn(vmid, async (names) => {
      if ((await findInit(this.#place.lab, names)) !== undefined) {
        throw new CastleError("machine/running", {
          message: `Machine ${vmid} of lab ${this.#place.lab} runs: its disks are in use`,
          hint: "castle lab power off NODE",
        });
      }
      await emptyDisk(names.disk);
    });
  }

  /** "stopped" is said only after an end has been dealt with and told, so that a start never comes in between. */
  async state(vmid: number): Promise<PowerState> {
    if ((await this.initPid(vmid)) !== undefined) return "running";
    const ended = await exists(machineNames(this.#place, vmid).poweredOn);
    // A call that is under way deals with the machine itself.
    if (ended && (this.#ending.has(vmid) || !this.#turns.has(vmid))) await this.#end(vmid);
    return (await this.initPid(vmid)) === undefined ? "stopped" : "running";
  }

  /** Pid of the machine's init as the host counts, for `nsenter`. */
  async initPid(vmid: number): Promise<number | undefined> {
    return (await findInit(this.#place.lab, machineNames(this.#place, vmid)))?.pid;
  }

  /** What the machine has written since it was last powered on; 16 MiB at most. */
  async console(vmid: number): Promise<string> {
    return saidSincePowerOn(machineNames(this.#place, vmid).console);
  }

  async #prepareBoot(config: MachineConfig, names: MachineNames): Promise<void> {
    await fillDisk(names.disk, this.#parts.rootfs, this.#parts.images);
    for (const folder of ["upper", "work", "root"]) {
      await mkdir(join(names.boot, folder), { recursive: true, mode: 0o755 });
    }
    const change = await oomScoreChange(names.boot, this.#parts.rootfs, this.#host.capabilities);
    const mounts = [...change.mounts, ...(await imageMounts(names.disk))];
    const files = {
      ...bootFiles(config),
      "config.json": JSON.stringify(ociSpec(config, names, this.#host, { ...change, mounts })),
    };
    await Promise.all(
      Object.entries(files).map(([file, content]) => writeFile(join(names.boot, file), content)),
    );
  }

  /** The network card goes first: what is left of a machine must not answer for its addresses. */
  async #pullPlug(vmid: number, names: MachineNames): Promise<void> {
    if (await exists(names.poweredOn)) await writeFile(names.pullingPlug, "", { mode: 0o600 });
    await this.#clear(vmid, names);
  }

  /** Removes all that one boot made; what a kill in the middle of a start or of a power-off left, too. */
  async #clear(vmid: number, names: MachineNames): Promise<void> {
    await unplug(this.#place.lab, vmid);
    await extinguish(this.#place.lab, names, this.#parts.runc);
    await disconnect(this.#place.lab, vmid, names.namespace);
    await rm(names.poweredOn, { force: true });
    await rm(names.boot, { recursive: true, force: true });
    await rm(names.pullingPlug, { force: true });
  }

  async #untilOff(names: MachineNames, timeout: number): Promise<void> {
    await poll(async () => ((await findInit(this.#place.lab, names)) === undefined ? true : undefined), {
      every: 50,
      within: timeout,
      onTimeout: () =>
        new CastleError("machine/shutdown-timed-out", {
          message: `Machine ${names.container} of lab ${this.#place.lab} did not shut down within ${timeout} ms`,
          hint: `Read its console: ${names.console}; or pull the plug: castle lab power off NODE`,
        }),
    });
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const folders = await readdir(machinesFolder(this.#place.state)).catch(() => []);
      await Promise.all(
        folders.filter((name) => /^\d+$/.test(name)).map((name) => this.#lookAt(Number(name))),
      );
    } finally {
      this.#looking = false;
    }
  }

  async #lookAt(vmid: number): Promise<void> {
    const names = machineNames(this.#place, vmid);
    if (!(await exists(names.poweredOn))) return;
    // Also of one that is being shut down by a call: the call waits for just this.
    await this.#descents.help(names, () => this.initPid(vmid));
    // A call that is under way deals with the machine itself.
    if (this.#turns.has(vmid)) return;
    await boundConsole(names.console);
    if (await this.#isUp(names)) return;
    await this.#end(vmid);
  }

  /** Deals with the end of a machine in its turn; whoever asks meanwhile waits for the same work. */
  async #end(vmid: number): Promise<void> {
    const ending = this.#ending.get(vmid) ?? this.#inTurn(vmid, (names) => this.#dealWithEnd(vmid, names));
    this.#ending.set(vmid, ending);
    try {
      await ending;
    } finally {
      this.#ending.delete(vmid);
    }
  }

  /** Finds out why the machine ended, if it did and nobody has yet, empties its disks after a reset, and tells. */
  async #dealWithEnd(vmid: number, names: MachineNames): Promise<void> {
    if (!(await exists(names.poweredOn)) || !(await this.#hasEnded(names))) return;
    const ours = await exists(names.pullingPlug);
    const exit = ours ? undefined : exitCause(await exitCodeOf(names), await saidSincePowerOn(names.console));
    // Wiped before anybody is told: a kill in between must not leave a reset machine with its old disks.
    if (exit?.kind === "reset") await emptyDisk(names.disk);
    await this.#clear(vmid, names);
    if (exit !== undefined) this.#tell(vmid, exit);
  }

  /** The supervisor, which writes the exit code down, ends soon after init; one from a killed start may yet begin it. */
  async #hasEnded(names: MachineNames): Promise<boolean> {
    const looked = async () => {
      if ((await findInit(this.#place.lab, names)) !== undefined) return { ended: false };
      return (await findSupervisor(names)) === undefined ? { ended: true } : undefined;
    };
    const hangs = new Error("the supervisor hangs");
    try {
      return (await poll(looked, { every: 10, within: 10_000, onTimeout: () => hangs })).ended;
    } catch (error) {
      if (error !== hangs) throw error;
      return true;
    }
  }

  async #isUp(names: MachineNames): Promise<boolean> {
    const [init, supervisor] = await Promise.all([findInit(this.#place.lab, names), findSupervisor(names)]);
    return init !== undefined || supervisor !== undefined;
  }

  #tell(vmid: number, exit: Exit): void {
    if (this.#listeners.length === 0) this.#untold.push([vmid, exit]);
    for (const listener of this.#listeners) listener(vmid, exit);
  }

  /** One call at a time for each machine; machines do not wait for each other. */
  async #inTurn<T>(vmid: number, work: (names: MachineNames) => Promise<T>): Promise<T> {
    const before = this.#turns.get(vmid) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => work(machineNames(this.#place, vmid)));
    this.#turns.set(vmid, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(vmid) === turn) this.#turns.delete(vmid);
    }
  }
}
