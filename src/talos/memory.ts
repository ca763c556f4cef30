import { CastleError } from "../errors/castle-error.ts";
import { soleAnswer } from "./answer.ts";
import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

/** The node's memory in MiB, as its kernel has it. @throws CastleError talos/… */
export async function totalMemory(client: TalosClient, settings: CallSettings = {}): Promise<number> {
  const { meminfo } = soleAnswer(client, "Memory", await client.call(calls.memory, {}, settings));
  if (meminfo === null) {
    throw new CastleError("talos/malformed", { message: `${client.name} sent no memory` });
  }
  return Math.floor(Number(meminfo.memtotal) / 1024);
}
