import { spawn } from "node:child_process";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import { endProcess } from "../../support/process-identity.ts";
import { lockHolder } from "../../support/process-lock.ts";
import type { LabDescriptor } from "../descriptor.ts";
import type { LabFolders } from "../folders.ts";
import { type LabControl, labControl } from "./control-client.ts";
import { readDescriptor } from "./descriptor-file.ts";
import { readFailure } from "./failure-file.ts";
import { requireOwn } from "./owner.ts";
import { requireRoom } from "./room.ts";
import { type LabSettings, readSettings, writeSettings } from "./settings.ts";

export interface RunningLab {
  readonly descriptor: LabDescriptor;
  readonly control: LabControl;
}

export interface LaunchOptions {
  readonly folders: LabFolders;
  /** What the lab shall be; token and port of a lab that exists already are kept. */
  readonly settings: LabSettings;
  /** Program and arguments that run the daemon, for example node, castle.js, lab, serve, NAME. */
  readonly command: readonly [string, ...string[]];
  readonly signal?: AbortSignal;
}

/** The lab if its daemon answers. */
export async function findLab(folders: LabFolders): Promise<RunningLab | undefined> {
  const descriptor = await readDescriptor(folders);
  if (descriptor === undefined) return undefined;
  const quick = labControl({ lab: folders.lab, socket: folders.control, within: 3_000 });
  const answers = await quick.call("status", {}).then(
    ({ pid }) => pid === descriptor.pid,
    () => false,
  );
  if (!answers) return undefined;
  return { descriptor, control: labControl({ lab: folders.lab, socket: folders.control }) };
}

/**
 * Brings the lab up: finds it running, or starts its daemon, which picks up what it finds and starts again the machines
 * that were on.
 * @throws CastleError lab/start-failed with the daemon's last words, lab/other-network, lab/elsewhere, lab/disk-full
 */
export async function ensureLab({ folders, settings, command, signal }: LaunchOptions): Promise<RunningLab> {
  await requireOwn(folders);
  const kept = await readSettings(folders);
  refuseOtherNetwork(folders, settings, kept);
  const running = (await findLab(folders)) ?? (await joinStarting(folders, signal));
  if (running !== undefined) return running;
  await requireRoom(folders, kept === undefined ? "fresh" : "kept");
  await writeSettings(
    folders,
    kept === undefined ? settings : { ...settings, token: kept.token, port: kept.port },
  );
  await rm(folders.descriptor, { force: true });
  const exited = await startDaemon(folders, command);
  return poll(
    async () => {
      const lab = await findLab(folders);
      if (lab !== undefined || exited.code === undefined) return lab;
      // Another run's daemon was faster: that one is as good.
      if ((await lockHolder(folders.daemonLock)) !== undefined) return undefined;
      throw (await readFailure(folders)) ?? (await startFailed(folders, `it ended with ${exited.code}`));
    },
    {
      every: 50,
      within: 120_000,
      signal,
      onTimeout: () =>
        new CastleError("lab/start-failed", {
          message: `The daemon of lab ${folders.lab} did not come up within 120 s`,
          hint: `its log: ${folders.log}`,
        }),
    },
  );
}

/** Milliseconds that a daemon that lives has to answer. */
const DAEMON_PATIENCE = 60_000;

/**
 * The lab whose daemon is on its way up: another run has started it, or one that was interrupted meanwhile. One that
 * does not answer in time is ended, so that a new one can take its place; the machines do not depend on it.
 */
async function joinStarting(folders: LabFolders, signal?: AbortSignal): Promise<RunningLab | undefined> {
  const daemon = await lockHolder(folders.daemonLock);
  if (daemon === undefined) return undefined;
  const silent = new Error("it does not answer");
  try {
    const found = await poll(
      async () => {
        const lab = await findLab(folders);
        if (lab !== undefined) return { lab };
        // Up, and what it told was damaged since: only a new daemon tells it again.
        if (await isDescriptorDamaged(folders)) throw silent;
        return (await lockHolder(folders.daemonLock)) === undefined ? { lab: undefined } : undefined;
      },
      { every: 50, within: DAEMON_PATIENCE, signal, onTimeout: () => silent },
    );
    return found.lab;
  } catch (error) {
    if (error !== silent) throw error;
    await endProcess(daemon.process, 10_000);
    return undefined;
  }
}

async function isDescriptorDamaged(folders: LabFolders): Promise<boolean> {
  const text = await readFile(folders.descriptor, "utf8").catch(() => undefined);
  return text !== undefined && (await readDescriptor(folders)) === undefined;
}

function refuseOtherNetwork(folders: LabFolders, wanted: LabSettings, kept: LabSettings | undefined): void {
  if (kept === undefined) return;
  const same = kept.network.cidr === wanted.network.cidr && kept.network.gateway === wanted.network.gateway;
  if (same) return;
  throw new CastleError("lab/other-network", {
    message: `Lab ${folders.lab} was made for ${kept.network.cidr} behind ${kept.network.gateway}, not for ${wanted.network.cidr} behind ${wanted.network.gateway}`,
    hint: `give the lab another name in castle.yaml, or: castle lab down ${folders.lab} --yes`,
  });
}

/** Starts the daemon in a session of its own, so that it outlives this process and its terminal. */
async function startDaemon(
  folders: LabFolders,
  [program, ...args]: readonly [string, ...string[]],
): Promise<{ code: string | undefined }> {
  await mkdir(dirname(folders.log), { recursive: true, mode: 0o700 });
  const log = await open(folders.log, "a", 0o600);
  const exited: { code: string | undefined } = { code: undefined };
  try {
    const child = spawn(program, args, { detached: true, stdio: ["ignore", log.fd, log.fd] });
    child.on("error", (error) => {
      exited.code = error.message;
    });
    child.on("exit", (code, signal) => {
      exited.code = signal ?? `exit code ${code}`;
    });
    child.unref();
  } finally {
    await log.close();
  }
  return exited;
}

async function startFailed(folders: LabFolders, how: string): Promise<CastleError> {
  const text = await readFile(folders.log, "utf8").catch(() => "");
  const words = text.trimEnd().split("\n").slice(-6).join("\n");
  return new CastleError("lab/start-failed", {
    message: `The daemon of lab ${folders.lab} did not come up: ${how}\n${words}`,
    hint: `its log: ${folders.log}`,
  });
}
