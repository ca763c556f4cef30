import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../../errors/castle-error.ts";
import type { MachineDriver } from "../machine/machine.ts";
import { createApiServer } from "./api/server.ts";
import { serverCertificate } from "./certificate.ts";
import type { Datacenter } from "./datacenter.ts";
import { Fleet } from "./inventory/fleet.ts";
import { StateFile } from "./inventory/state-file.ts";
import { Power } from "./power.ts";
import { allRoutes } from "./routes/all-routes.ts";
import type { HypervisorSettings } from "./settings.ts";
import { TaskList } from "./tasks/task-list.ts";

/** The API is never shown to the network: whoever reaches it can start privileged containers. */
const LOOPBACK = "127.0.0.1";

/**
 * Milliseconds that `close` gives running tasks. What is not done by then is repaired by the next start, as after a
 * kill.
 */
const CLOSE_PATIENCE = 10_000;

export interface HypervisorOptions {
  readonly settings: HypervisorSettings;
  /** Where machines, volumes, tasks and the certificate are kept; made with mode 0700 if it is not there. */
  readonly stateFolder: string;
  readonly driver: MachineDriver;
  /** 0 takes a free one. */
  readonly port: number;
  /** One line for each changing call, failed task and machine that ends by itself. No secrets. */
  readonly log?: (line: string) => void;
}

export interface Hypervisor {
  /** https://127.0.0.1:PORT */
  readonly endpoint: string;
  /** PEM of the self-signed certificate. */
  readonly certificate: string;
  /** What the API answers from, for those in the same process who need more than the API offers. */
  readonly datacenter: Datacenter;
  /**
   * Starts the machines that were on when the last daemon ended and are off now.
   * @returns those that could not be started: VM id and reason.
   */
  readonly resume: () => Promise<ReadonlyMap<number, string>>;
  /** Ends the server after the tasks that run; machines stay as they are. */
  readonly close: () => Promise<void>;
}

/**
 * A server that speaks the Proxmox VE API and drives machines with it. What a killed predecessor left half-made is
 * cleaned up before the first call is answered.
 * @throws CastleError hypervisor/port-taken, hypervisor/state-damaged, command/missing (openssl)
 */
export async function startHypervisor(options: HypervisorOptions): Promise<Hypervisor> {
  const { settings, stateFolder, driver, log = () => undefined } = options;
  const { key, certificate, fingerprint } = await serverCertificate(stateFolder);
  const file = await StateFile.open(join(stateFolder, "hypervisor.json"));
  const tasks = new TaskList(file, log);
  const fleet = new Fleet(file, driver);
  const power = new Power({ driver, file, log });
  tasks.closeInterrupted();
  await fleet.repair(log);
  await file.save();

  const datacenter: Datacenter = { settings, file, tasks, fleet, power, fingerprint, stateFolder };
  const server = createApiServer({ settings, routes: allRoutes(datacenter), key, certificate, log });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(options.port, cause)));
    server.listen(options.port, LOOPBACK, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? options.port) : options.port;

  return {
    endpoint: `https://${LOOPBACK}:${port}`,
    certificate,
    datacenter,
    resume: () => power.resume(),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const work = tasks.drain().then(() => power.queue.drain());
      await Promise.race([work, delay(CLOSE_PATIENCE, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
      await file.save();
    },
  };
}

function listenError(port: number, cause: NodeJS.ErrnoException): Error {
  if (cause.code !== "EADDRINUSE") return cause;
  return new CastleError("hypervisor/port-taken", {
    message: `port ${port} on ${LOOPBACK} is taken by another program`,
    hint: `ss -ltnp 'sport = :${port}' names it; end it and run the same command again`,
    cause,
  });
}
