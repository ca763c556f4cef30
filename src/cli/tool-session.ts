import { execa } from "execa";
import { CastleError } from "../errors/castle-error.ts";
import type { Castle } from "../spec/castle.ts";
import { accessFile } from "./access-session.ts";
import { answer } from "./answer.ts";
import type { Context } from "./context.ts";
import { findKubectl, findTalosctl, openParts } from "./parts-session.ts";
import { readSpecFile } from "./spec-file.ts";

/** Runs kubectl or talosctl on the castle, with the terminal as its own, and ends with its exit code. */
export async function passThrough(
  context: Context,
  tool: "kubectl" | "talosctl",
  file: string,
  args: readonly string[],
): Promise<void> {
  await answer(context, "text", async () => {
    const spec = await readSpecFile(context, file);
    const parts = openParts(context);
    const { path } = await accessFile(context, spec, {
      kind: tool === "kubectl" ? "kubeconfig" : "talosconfig",
    });
    const program =
      tool === "kubectl"
        ? await findKubectl(context, parts)
        : await findTalosctl(context, spec.castle, parts);
    const env = tool === "kubectl" ? { KUBECONFIG: path } : { TALOSCONFIG: path };
    const words = tool === "talosctl" ? args.map((word) => addressesFor(spec.castle, word)) : args;
    const { exitCode, code } = await execa(program, words, { env, stdio: "inherit", reject: false });
    if (code === "ENOENT") throw new CastleError("command/missing", { message: `${program} is not there` });
    context.process.exitCode = exitCode ?? 1;
    return { kind: "Passed" };
  });
}

/** fortress-cp-1 → its address: talosctl asks nodes by address, people by name. */
function addressesFor(castle: Castle, word: string): string {
  const prefix = /^(?:--nodes=|-n=?)/.exec(word)?.[0] ?? "";
  const names = word.slice(prefix.length).split(",");
  const nodes = names.map((name) => castle.nodes.find((node) => node.name === name));
  return nodes.every((node) => node !== undefined)
    ? prefix + nodes.map(({ address }) => address).join(",")
    : word;
}
