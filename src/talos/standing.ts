import { CastleError } from "../errors/castle-error.ts";
import { type CallSettings, TalosClient, type TalosClientOptions } from "./client.ts";
import type { MachineStage } from "./kinds.ts";
import { machineState } from "./stage.ts";
import type { Credentials } from "./talosconfig.ts";

/** What a machine is to this castle, found out without changing anything. */
export type Standing =
  /** It has this castle's secrets. */
  | { readonly kind: "ours"; readonly stage: MachineStage; readonly ready: boolean }
  /** It has no configuration and waits for one. */
  | { readonly kind: "new" }
  /** It has a configuration with other secrets. */
  | { readonly kind: "stranger" }
  /** It does not answer, or not yet. */
  | { readonly kind: "silent"; readonly reason: string };

export interface StandingQuery
  extends Omit<TalosClientOptions, "credentials">,
    Pick<CallSettings, "deadline" | "signal"> {
  readonly credentials: Credentials;
}

/** @throws CastleError command/interrupted, talos/malformed, talos/call-failed */
export async function standing({
  credentials,
  deadline,
  signal,
  ...options
}: StandingQuery): Promise<Standing> {
  const settings = { deadline: deadline ?? 3_000, ...(signal === undefined ? {} : { signal }) };
  const trusted = await ask(new TalosClient({ ...options, credentials }), settings);
  if (trusted.kind === "answered") return { kind: "ours", stage: trusted.stage, ready: trusted.ready };
  if (trusted.code !== "talos/refused") return { kind: "silent", reason: trusted.reason };
  // Refused both by a stranger and in maintenance mode: only the latter talks to those without a certificate.
  const untrusted = await ask(new TalosClient(options), settings);
  if (untrusted.kind === "answered") return { kind: "new" };
  return untrusted.code === "talos/not-in-maintenance"
    ? { kind: "stranger" }
    : { kind: "silent", reason: untrusted.reason };
}

type Answer =
  | { readonly kind: "answered"; readonly stage: MachineStage; readonly ready: boolean }
  | { readonly kind: "refused"; readonly code: string; readonly reason: string };

const REFUSALS: ReadonlySet<string> = new Set([
  "talos/not-in-maintenance",
  "talos/not-ready",
  "talos/refused",
  "talos/unreachable",
  "talos/unsupported",
]);

async function ask(client: TalosClient, settings: CallSettings): Promise<Answer> {
  try {
    const { stage, ready } = await machineState(client, settings);
    return { kind: "answered", stage, ready };
  } catch (error) {
    if (!(error instanceof CastleError) || !REFUSALS.has(error.code)) throw error;
    return { kind: "refused", code: error.code, reason: error.message };
  } finally {
    client.close();
  }
}
