import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach } from "vitest";
import { CastleCommand } from "./castle-command.ts";
import { nodesOf } from "./cluster.ts";

/** Lines of a console: a boot that got stuck says where within its last ones. */
const LINES = 50;

let isTold = false;

// The lab goes with its test, and what a machine waited for is on its console only.
afterEach(async ({ task }) => {
  if (task.result?.state !== "fail" || isTold) return;
  isTold = true;
  for (const castle of CastleCommand.prepared) {
    const { labs } = castle;
    const machines = join(labs.state, "machines");
    for (const vmid of await readdir(machines).catch(() => [])) {
      const text = await readFile(join(machines, vmid, "console.log"), "utf8").catch(() => "");
      console.log(`console of ${vmid}:\n${text.trimEnd().split("\n").slice(-LINES).join("\n")}`);
    }
    // The console tells only that it ended.
    const nodes = await nodesOf(castle).catch(() => []);
    if (nodes.length === 0) continue;
    const addresses = nodes.map(({ address }) => address).join(",");
    for (const service of ["kubelet", "cri"]) {
      const { stdout } = await castle.try("talosctl", "--", "-n", addresses, "logs", service, "--tail", "15");
      console.log(`${service} of ${castle.name}:\n${stdout}`);
    }
  }
});
