import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CastleCommand } from "./castle-command.ts";
import { nodesOf } from "./cluster.ts";

/** Lines of a console: a boot that got stuck says where within its last ones. */
const LINES = 50;
/** What containerd says once, when it starts without its Kubernetes part; the last lines do not show it any more. */
const FAILURE = /failed to load|level=(?:error|fatal)/;

const told = new Set<CastleCommand>();

/** Prints what the machines of a castle last said, once for each castle: the lab goes with its test. */
export async function tellMachines(castle: CastleCommand): Promise<void> {
  if (told.has(castle)) return;
  told.add(castle);
  const machines = join(castle.labs.state, "machines");
  for (const vmid of await readdir(machines).catch(() => [])) {
    const text = await readFile(join(machines, vmid, "console.log"), "utf8").catch(() => "");
    console.log(`console of ${vmid}:\n${text.trimEnd().split("\n").slice(-LINES).join("\n")}`);
  }
  // The console tells only that it ended.
  const nodes = await nodesOf(castle).catch(() => []);
  for (const { address } of nodes) {
    const said = (service: string, lines: string) =>
      castle
        .try("talosctl", "--", "-n", address, "logs", service, "--tail", lines)
        .then(({ stdout }) => stdout);
    console.log(`kubelet of ${address}:\n${await said("kubelet", "40")}`);
    const cri = (await said("cri", "-1")).trimEnd().split("\n");
    const words = [...cri.filter((line) => FAILURE.test(line)).slice(0, 15), ...cri.slice(-15)];
    console.log(`cri of ${address}:\n${words.join("\n")}`);
  }
}
