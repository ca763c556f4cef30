import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { CastleError } from "../../errors/castle-error.ts";
import type { Report } from "../../journal/step.ts";
import { exists } from "../../support/exists.ts";
import type { LabDescriptor } from "../descriptor.ts";
import { lanNamespace } from "../namespaces.ts";
import type { AgentOptions } from "./agent.ts";
import { type DialOptions, dialLan, holdersOnLan, probeLan } from "./dial.ts";
import { type Hosts, addHosts, dnsProgram, writeHosts } from "./dns.ts";
import { Forwards } from "./forwards.ts";
import { ensureKernelFeatures } from "./kernel.ts";
import { ensureLanNamespace, removeLanNamespace } from "./namespace.ts";
import type { Neighbour } from "./neighbour.ts";
import { OnDemandServices, type ServiceEndpoints, type WantedServices } from "./on-demand.ts";
import { Processes, endRecordedProcesses } from "./processes.ts";
import { type SeedImage, seedRegistry } from "./registry-seed.ts";
import { registryProgram } from "./registry.ts";
import type { ProcessState, Program } from "./supervised-process.ts";
import { SiteDoor } from "./site-door.ts";
import { raiseSysctls, restoreSysctls } from "./sysctls.ts";

/** What names a lab's LAN and where its files are; enough to take it away without ever having opened it. */
export interface LanPlace {
  readonly lab: string;
  /** Folder for what must survive a restart of the machine: images, names, ports. */
  readonly state: string;
  /** Folder for pid files, sockets and configs; of this LAN alone, removed with it. At most 90 bytes long. */
  readonly run: string;
  /** Folder shared by all labs of the machine, for instance /run/castle. */
  readonly shared: string;
}

export interface LanOptions extends LanPlace {
  readonly cidr: string;
  readonly gateway: string;
  readonly bridges: readonly [string, ...string[]];
  /** Paths of the binaries. */
  readonly programs: { readonly registry: string; readonly dns: string };
  /** Command that calls `runAgent` with the JSON that is added as its last argument. */
  readonly agent: readonly [string, ...string[]];
  readonly report?: Report;
  readonly signal?: AbortSignal;
}

const REGISTRY_PORT = 5000;
const DISCOVERY_PORT = 3000;
const DNS_PORT = 53;
/** The kernel's limit for the path of a unix socket. */
const LONGEST_SOCKET = 107;

/** The LAN of a lab and all that runs on it besides machines: registry, names, discovery, and the way in. */
export class Lan {
  readonly forwards: Forwards;
  readonly #options: LanOptions;
  readonly #processes: Processes;
  readonly #onDemand: OnDemandServices;
  /** Where a browser on this machine finds the castle's sites. */
  readonly siteDoor: SiteDoor;

  private constructor(options: LanOptions, processes: Processes, forwards: Forwards) {
    this.#options = options;
    this.#processes = processes;
    this.forwards = forwards;
    const { namespace, socket } = endpointsOf(options);
    const { gateway: host, state, run, agent, report } = options;
    this.#onDemand = new OnDemandServices({
      host,
      namespace,
      socket,
      state,
      run,
      agent,
      report,
      processes,
      forwards,
    });
    this.siteDoor = new SiteDoor({
      socket,
      file: join(state, "site-door.json"),
      roots: () => this.#onDemand.endpoints.acme?.roots,
    });
  }

  get endpoints(): LabDescriptor["lan"] {
    return { ...endpointsOf(this.#options), ...this.#onDemand.endpoints };
  }

  /**
   * Makes the LAN or finishes one that was left half-made. Machines that are plugged in stay as they are.
   * @throws CastleError lan/name-invalid, lan/kernel-feature-missing, lan/service-failed, command/failed …
   */
  static async open(options: LanOptions): Promise<Lan> {
    const { socket } = endpointsOf(options);
    if (Buffer.byteLength(socket) > LONGEST_SOCKET) {
      throw new CastleError("lan/name-invalid", {
        message: `${socket} is too long for a unix socket: ${LONGEST_SOCKET} bytes is the most`,
        hint: "choose a shorter name for the lab, or a shorter folder",
      });
    }
    await Promise.all(
      [options.run, options.state].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })),
    );
    const processes = new Processes({
      run: options.run,
      logs: join(options.state, "logs"),
      report: options.report,
    });
    try {
      // A missing kernel feature is the cause of what else fails, so its error goes first.
      const [features, services] = await Promise.allSettled([
        ensureKernelFeatures(),
        startServices(options, processes),
      ]);
      for (const result of [features, services]) {
        if (result.status === "rejected") throw result.reason;
      }
      const file = join(options.state, "forwards.json");
      const forwards = await Forwards.open({ socket, file, report: options.report });
      const lan = new Lan(options, processes, forwards);
      await lan.#onDemand.resume();
      await lan.siteDoor.resume();
      return lan;
    } catch (error) {
      await processes.stop();
      throw error;
    }
  }

  /** Opens a TCP connection to a machine. @throws CastleError lan/unreachable, lan/agent-unreachable */
  dial(address: string, port: number, options?: DialOptions): Promise<Duplex> {
    return dialLan(this.endpoints.socket, address, port, options);
  }

  /** Asks by ARP whether anybody holds the address. @throws CastleError lan/agent-unreachable */
  probe(address: string, options?: DialOptions): Promise<Neighbour> {
    return probeLan(this.endpoints.socket, address, options);
  }

  /** Asks by ARP who holds each address: the MAC addresses of all who answer. @throws CastleError lan/agent-unreachable */
  holders(
    addresses: readonly string[],
    options?: DialOptions,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    return holdersOnLan(this.endpoints.socket, addresses, options);
  }

  /** Replaces all names that the LAN's name server knows, but its own. @throws CastleError lan/name-invalid */
  async setHosts(hosts: Hosts): Promise<void> {
    await writeHosts(hostsFile(this.#options), { ...hosts, ...ownHosts(this.#options) });
  }

  /** Starts Git and ACME where asked for. @throws CastleError lan/service-failed, command/failed … */
  ensureServices(wanted: WantedServices): Promise<ServiceEndpoints> {
    return this.#onDemand.ensure(wanted);
  }

  /** Puts images into the registry. @throws CastleError lan/image-broken */
  async seed(images: readonly SeedImage[]): Promise<void> {
    await seedRegistry(storageOf(this.#options), images);
  }

  /** How the programs of the LAN are, by name. */
  services(): Readonly<Record<string, ProcessState>> {
    return Object.fromEntries(this.#processes.list().map(({ name, state }) => [name, state]));
  }

  /** Ends what the daemon runs. The namespace stays, with the machines in it: `removeLan` takes that away. */
  async close(): Promise<void> {
    await Promise.all([this.forwards.close(), this.siteDoor.close()]);
    await this.#processes.stop();
  }
}

/**
 * Takes a LAN away, closed or left behind by a daemon that was killed: processes, namespace, run folder, changed kernel
 * settings. The state folder belongs to the lab. Nothing happens if there is nothing.
 */
export async function removeLan(place: LanPlace): Promise<void> {
  await endRecordedProcesses(place.run);
  await removeLanNamespace(place.lab);
  await restoreSysctls(place);
  await removeAtOnce(place.run);
}

/** Gone under its name at once: a service that is just being started again writes its pid file there meanwhile. */
async function removeAtOnce(folder: string): Promise<void> {
  const removed = `${folder}.removed`;
  await rm(removed, { recursive: true, force: true });
  if (await exists(folder)) await rename(folder, removed);
  await rm(removed, { recursive: true, force: true });
}

function endpointsOf({ lab, gateway, run }: LanOptions): LabDescriptor["lan"] {
  return {
    namespace: lanNamespace(lab),
    registry: `http://${gateway}:${REGISTRY_PORT}`,
    discovery: `http://${gateway}:${DISCOVERY_PORT}`,
    dns: gateway,
    socket: join(run, "agent.sock"),
  };
}

function hostsFile({ state }: LanPlace): string {
  return join(state, "hosts");
}

/** The names of what the LAN itself serves. */
function ownHosts({ gateway }: LanOptions): Hosts {
  return Object.fromEntries(
    ["acme.lan", "git.lan", "ns.lan", "registry.lan"].map((name) => [name, [gateway]]),
  );
}

function storageOf({ state }: LanPlace): string {
  return join(state, "registry");
}

async function startServices(options: LanOptions, processes: Processes): Promise<void> {
  const namespace = await ensureLanNamespace(options, options.signal);
  await raiseSysctls(options);
  const { gateway: host, run, signal } = options;
  const { socket } = endpointsOf(options);
  await addHosts(hostsFile(options), ownHosts(options));
  const [registry, dns] = await Promise.all([
    registryProgram({
      program: options.programs.registry,
      host,
      port: REGISTRY_PORT,
      storage: storageOf(options),
      run,
      namespace,
    }),
    dnsProgram({
      program: options.programs.dns,
      host,
      port: DNS_PORT,
      hosts: hostsFile(options),
      run,
      namespace,
    }),
  ]);
  const accepts = (port: number) => () =>
    dialLan(socket, host, port, { timeout: 1_000, signal }).then(
      (connection) => {
        connection.destroy();
        return true;
      },
      () => false,
    );
  const agentOptions: AgentOptions = { socket, discovery: { host, port: DISCOVERY_PORT } };
  const agent: Program = {
    name: "agent",
    command: [...options.agent, JSON.stringify(agentOptions)],
    namespace,
  };
  const programs: [Program, number][] = [
    [agent, DISCOVERY_PORT],
    [registry, REGISTRY_PORT],
    [dns, DNS_PORT],
  ];
  const started = await Promise.all(
    programs.map(async ([program, port]) => ({ supervised: await processes.start(program), port })),
  );
  await Promise.all(started.map(({ supervised, port }) => supervised.ready(accepts(port), 20_000, signal)));
}
