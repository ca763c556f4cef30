import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";
import { soleAnswer } from "./answer.ts";
import { type ApplyMode, calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

export interface MachineVersion {
  /** With the leading v. */
  readonly talos: string;
  /** For example amd64. */
  readonly architecture: string;
  /** For example container, nocloud, metal. */
  readonly platform: string;
}

/** @throws CastleError talos/… */
export async function version(client: TalosClient, settings: CallSettings = {}): Promise<MachineVersion> {
  const answer = soleAnswer(client, "Version", await client.call(calls.version, {}, settings));
  return {
    talos: answer.version?.tag ?? "",
    architecture: answer.version?.arch ?? "",
    platform: answer.platform?.name ?? "",
  };
}

export interface ApplySettings extends CallSettings {
  /** AUTO unless told: without a reboot where that is enough. Maintenance mode knows only AUTO, REBOOT and TRY. */
  readonly mode?: ApplyMode;
  /** Only says what would happen. */
  readonly dryRun?: boolean;
}

export interface Applied {
  readonly warnings: readonly string[];
  /** How Talos applies it: AUTO resolves to NO_REBOOT or REBOOT. In maintenance mode the answer says nothing of it. */
  readonly mode: ApplyMode;
  /** Talos' own words; those of a dry run quote the difference, and with it maybe a secret. */
  readonly details: Secret;
}

/**
 * Gives a node its machine configuration: its first in maintenance mode, or another one later.
 * @throws CastleError talos/config-rejected, talos/not-in-maintenance, talos/…
 */
export async function applyConfig(
  client: TalosClient,
  config: Secret,
  { mode, dryRun, ...settings }: ApplySettings = {},
): Promise<Applied> {
  const request = { data: Buffer.from(config.reveal()), mode: mode ?? "AUTO", dryRun: dryRun ?? false };
  const answer = soleAnswer(
    client,
    "ApplyConfiguration",
    await client.call(calls.applyConfiguration, request, { deadline: 30_000, ...settings }),
  );
  return { warnings: answer.warnings, mode: answer.mode, details: new Secret(answer.modeDetails) };
}

export interface BootstrapSettings extends CallSettings {
  /** From the snapshot that `etcdRecover` brought, instead of empty. */
  readonly recover?: boolean;
}

/**
 * Makes this control plane the first member of a new etcd. A node whose etcd has data says so, which is as good.
 * @throws CastleError talos/not-ready while the node cannot do it yet: ask again; talos/…
 */
export async function bootstrap(
  client: TalosClient,
  { recover, ...settings }: BootstrapSettings = {},
): Promise<"bootstrapped" | "already-bootstrapped"> {
  try {
    soleAnswer(
      client,
      "Bootstrap",
      await client.call(
        calls.bootstrap,
        { recoverEtcd: recover ?? false },
        { deadline: 30_000, ...settings },
      ),
    );
    return "bootstrapped";
  } catch (error) {
    if (error instanceof CastleError && error.details["grpc"] === "ALREADY_EXISTS")
      return "already-bootstrapped";
    throw error;
  }
}

export interface ResetSettings extends CallSettings {
  /** Cordon, drain and leave etcd first. Container mode does none of it. */
  readonly graceful: boolean;
  readonly reboot: boolean;
  /** Labels of system partitions, for example STATE and EPHEMERAL; none: all of the system disk. */
  readonly partitions?: readonly string[];
}

/**
 * Starts the node's Reset sequence, which goes on after this returns.
 * @returns the actor id that the sequence's events carry
 */
export async function reset(
  client: TalosClient,
  { graceful, reboot: thenReboot, partitions, ...settings }: ResetSettings,
): Promise<string> {
  const request = {
    graceful,
    reboot: thenReboot,
    systemPartitionsToWipe: (partitions ?? []).map((label) => ({ label, wipe: true })),
    mode: "ALL" as const,
  };
  return soleAnswer(client, "Reset", await client.call(calls.reset, request, settings)).actorId;
}
