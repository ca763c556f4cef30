import { text } from "node:stream/consumers";
import { z } from "zod";
import { startHypervisor } from "../../../src/lab/hypervisor/hypervisor.ts";
import type { HypervisorSettings } from "../../../src/lab/hypervisor/settings.ts";
import { Secret } from "../../../src/support/secret.ts";
import { MemoryMachines } from "./memory-machines.ts";

/**
 * A hypervisor in a process of its own, to be killed in the middle of a driver's call that never ends. Told on
 * standard input where it is and what shall be stuck; says on standard output where it listens, and when it has
 * reached that call.
 */
const told = z
  .object({
    folder: z.string(),
    stuck: z.string(),
    tokenId: z.string(),
    tokenSecret: z.string(),
    settings: z.custom<Omit<HypervisorSettings, "token">>(),
  })
  .parse(JSON.parse(await text(process.stdin)));

const driver = new MemoryMachines();
driver.stuck.set(told.stuck, () => process.stdout.write("reached\n"));
const settings = { ...told.settings, token: { id: told.tokenId, secret: new Secret(told.tokenSecret) } };
const { endpoint, certificate } = await startHypervisor({
  settings,
  stateFolder: told.folder,
  driver,
  port: 0,
});
process.stdout.write(`${JSON.stringify({ endpoint, certificate })}\n`);
