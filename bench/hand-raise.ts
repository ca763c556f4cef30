import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { labFolders } from "../src/lab/folders.ts";
import { registryProgram } from "../src/lab/lan/registry.ts";
import { raiseSysctls, restoreSysctls } from "../src/lab/lan/sysctls.ts";
import { run } from "../src/support/run.ts";
import { ending } from "./ending.ts";
import type { HandPlace } from "./hand-place.ts";

const NAMESPACE = "hand-lan";

/** One raise and its end, in seconds from nothing. */
export interface HandRaise {
  /** Every node has taken its configuration. */
  readonly configured: number;
  /** The API answers on the VIP. */
  readonly api: number;
  /** Five nodes are Ready. */
  readonly ready: number;
  readonly down: number;
}

/** The scripts, unchanged, from nothing. Their clock starts when LAN and registry stand. */
export async function raiseByHand(place: HandPlace): Promise<HandRaise> {
  // The script raises one setting of the machine, and five kubelets change others.
  const guarded = { state: place.folder, shared: labFolders(place.folder, NAMESPACE).sharedRun };
  await raiseSysctls(guarded);
  return ending(
    async () => {
      await script(place, "lan.sh");
      const registry = await startRegistry(place);
      return ending(
        async () => {
          const { stdout } = await script(place, "up.sh");
          const at = (what: string) => secondsOf(stdout, what);
          const raise = {
            configured: at("configs applied"),
            api: at("API answers"),
            ready: at("five nodes Ready"),
          };
          return { ...raise, down: await dropByHand(place) };
        },
        async () => {
          registry.kill("SIGTERM");
          if (registry.exitCode === null && registry.signalCode === null) await once(registry, "exit");
        },
      );
    },
    async () => {
      await dropByHand(place);
      await restoreSysctls(guarded);
    },
  );
}

/** Also when there is nothing. @returns seconds */
async function dropByHand(place: HandPlace): Promise<number> {
  const begin = performance.now();
  // Not with the bench's signal: an interrupted bench cleans up, too.
  await script({ ...place, signal: AbortSignal.timeout(60_000) }, "down.sh");
  return (performance.now() - begin) / 1000;
}

async function startRegistry({ folder, registry, signal }: HandPlace) {
  const { command, env } = await registryProgram({
    program: registry,
    host: "192.168.1.1",
    port: 5000,
    storage: join(folder, "registry"),
    run: folder,
  });
  const child = spawn("ip", ["netns", "exec", NAMESPACE, ...command], {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
  const listening = ["netns", "exec", NAMESPACE, "curl", "-s", "--retry", "50", "--retry-connrefused"];
  await run("ip", [...listening, "--retry-delay", "1", "http://192.168.1.1:5000/v2/"], { signal });
  return child;
}

async function script({ scripts, folder, programs, signal }: HandPlace, name: string) {
  return run(join(scripts, name), [], {
    env: { HAND: folder, PATH: `${programs}:${process.env["PATH"] ?? ""}` },
    timeout: 300_000,
    signal,
  });
}

function secondsOf(lines: string, what: string): number {
  const found = new RegExp(`^([0-9.]+) ${what}`, "m").exec(lines)?.[1];
  if (found === undefined) throw new Error(`the script by hand never said "${what}":\n${lines}`);
  return Number(found);
}
