import { LAST_PHASE } from "./descent.ts";
import type { Exit } from "./machine.ts";

/**
 * Exit codes of a container whose init called reboot(2): the kernel ends the init of a pid namespace with SIGINT for
 * power-off and halt and with SIGHUP for a restart (reboot(2), "Behavior inside PID namespaces"); runc adds 128.
 */
const ASKED_POWER_OFF = 130;
const ASKED_RESTART = 129;

/** What machined writes when it begins a sequence, for example `[talos] reset sequence: 2 phase(s)`. */
const SEQUENCE = /\b(\w+) sequence: \d+ phase\(s\)/g;

/**
 * Why a machine's init ended. In container mode machined runs Reset as "stop everything, power off" and wipes nothing,
 * so only its console tells a Reset from a shutdown. The request's `reboot` flag and wipe options are not written
 * anywhere that a hypervisor sees: `reboot` is false, and whoever asked for a restart has to power the machine on.
 *
 * @param exitCode of the container; undefined if nobody was left to see it
 * @param said the console since the machine was powered on
 * @returns undefined if the machine left no trace of its end, as after a restart of the host
 */
export function exitCause(exitCode: number | undefined, said: string): Exit | undefined {
  const started = [...said.matchAll(SEQUENCE)].at(-1);
  const sequence = started?.[1];
  const asked = exitCode ?? askedBy(said.slice(started?.index ?? said.length));
  switch (asked) {
    case undefined:
      return undefined;
    case ASKED_POWER_OFF:
      return sequence === "reset" ? { kind: "reset", reboot: false } : { kind: "shut-down" };
    case ASKED_RESTART:
      return { kind: "reboot-requested" };
    default:
      return { kind: "crashed", detail: `init ended with exit code ${asked}; ${lastWords(said)}` };
  }
}

function askedBy(sinceSequence: string): number | undefined {
  const phase = LAST_PHASE.exec(sinceSequence)?.[1];
  if (phase === undefined) return undefined;
  return phase === "reboot" ? ASKED_RESTART : ASKED_POWER_OFF;
}

function lastWords(said: string): string {
  const lines = said.trimEnd().split("\n").slice(-3).join(" | ");
  return lines === "" ? "its console is empty" : `its console ends with: ${lines}`;
}
