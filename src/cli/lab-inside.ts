import { open, stat } from "node:fs/promises";
import { constants } from "node:os";
import { execa } from "execa";
import { CastleError } from "../errors/castle-error.ts";
import { readSettings } from "../lab/daemon/settings.ts";
import { findLab } from "../lab/daemon/launch.ts";
import type { LabFolders } from "../lab/folders.ts";
import { saidSincePowerOn } from "../lab/machine/console.ts";
import { machineNames, runcRoot } from "../lab/machine/names.ts";
import { poll } from "../support/poll.ts";
import type { Answer, AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { labOf } from "./lab-choice.ts";
import { findMachine, runningLab } from "./lab-commands.ts";
import { assertRoot } from "./lab-session.ts";
import { readSpecFile } from "./spec-file.ts";

/** What a machine's console has said since it was last powered on; also of one that is off. */
export async function labLogs(
  context: Context,
  { file, node, follow }: { readonly file: string; readonly node: string; readonly follow: boolean },
): Promise<AnswerOf<"LabLog"> | Extract<Answer, { kind: "Passed" }>> {
  assertRoot(context);
  const folders = await labOf(context, { file, lab: undefined });
  const vmid = await vmidOf(context, folders, { file, node });
  const { console } = machineNames({ lab: folders.lab, state: folders.state }, vmid);
  const said = await saidSincePowerOn(console);
  if (!follow) {
    return { kind: "LabLog", data: { lab: folders.lab, machine: node, text: said }, text: said };
  }
  context.process.stdout.write(said);
  await followFile(context, console);
  return { kind: "Passed" };
}

async function vmidOf(
  context: Context,
  folders: LabFolders,
  { file, node }: { readonly file: string; readonly node: string },
): Promise<number> {
  const running = await findLab(folders);
  if (running !== undefined) return (await findMachine(folders.lab, running.control, node)).vmid;
  const { castle } = await readSpecFile(context, file);
  const known = castle.nodes.find(({ name, vmid }) => name === node || String(vmid) === node);
  if (known !== undefined) return known.vmid;
  throw new CastleError("lab/unknown-machine", {
    message: `${file} has no node ${node}; it has ${castle.nodes.map(({ name }) => name).join(", ")}`,
  });
}

/** Writes what is appended to a file until castle is interrupted. A file that became shorter is read from its start. */
async function followFile({ signal, process }: Context, path: string): Promise<void> {
  const sizeNow = async () => (await stat(path).catch(() => undefined))?.size ?? 0;
  let from = await sizeNow();
  await poll(
    async () => {
      const size = await sizeNow();
      if (size < from) from = 0;
      if (size > from) {
        const file = await open(path);
        try {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
          process.stdout.write(buffer.toString("utf8", 0, bytesRead));
          from += bytesRead;
        } finally {
          await file.close();
        }
      }
      return undefined;
    },
    { every: 200, within: Number.POSITIVE_INFINITY, signal, onTimeout: () => new Error("never") },
  ).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

export interface LabExec {
  readonly file: string;
  readonly node: string;
  /** A program of this host in the machine's network, instead of one of the machine's own. */
  readonly network: boolean;
  readonly command: readonly string[];
}

/** Runs a program inside a machine, with the terminal as its own, and ends with its exit code. */
export async function labExec(context: Context, { file, node, network, command }: LabExec): Promise<Answer> {
  assertRoot(context);
  if (command.length === 0) {
    throw new CastleError("command/usage", {
      message: "castle lab exec was given no command",
      hint: `castle lab exec ${node} -- ls /`,
    });
  }
  const folders = await labOf(context, { file, lab: undefined });
  const { control } = await runningLab(folders);
  const machine = await findMachine(folders.lab, control, node);
  if (machine.state !== "running") {
    throw new CastleError("machine/not-running", {
      message: `${machine.name} is off`,
      hint: `castle lab power on ${machine.name}`,
    });
  }
  const { container, namespace } = machineNames({ lab: folders.lab, state: folders.state }, machine.vmid);
  const words = network
    ? ["nsenter", `--net=/run/netns/${namespace}`, "--", ...command]
    : [...(await runcExec(context, folders)), container, ...command];
  const [program = "", ...args] = words;
  const { exitCode, signal, code } = await execa(program, args, { stdio: "inherit", reject: false });
  if (code === "ENOENT") throw new CastleError("command/missing", { message: `${program} is not there` });
  context.process.exitCode = exitCode ?? 128 + (signal === undefined ? 0 : constants.signals[signal]);
  return { kind: "Passed" };
}

async function runcExec({ process }: Context, folders: LabFolders): Promise<readonly string[]> {
  const settings = await readSettings(folders);
  if (settings === undefined) throw new Error(`lab ${folders.lab} runs without settings`);
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true ? ["--tty"] : [];
  return [settings.parts.runc, "--root", runcRoot(folders.lab), "exec", ...terminal];
}
