import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { z } from "zod";
import { closeLab } from "../../src/lab/daemon/close.ts";
import { type RunningLab, findLab } from "../../src/lab/daemon/launch.ts";
import { ownerOf } from "../../src/lab/daemon/owner.ts";
import { labFolders } from "../../src/lab/folders.ts";
import { census } from "../../src/lab/machine/census.ts";

const EXECUTABLE = fileURLToPath(new URL("../../bin/castle.js", import.meta.url));

export interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `castle` as a user calls it, in a folder with a castle.yaml and with labs and an identity of its own. */
export class CastleCommand {
  readonly folder: string;
  readonly name: string;
  /** More of the environment, for example the credentials of a secret store. */
  readonly env: Record<string, string> = {};
  readonly #states: string;
  readonly #outputs: string[] = [];
  /** Called before a command that had to succeed throws. */
  static onFailure: ((castle: CastleCommand) => Promise<void>) | undefined;
  static readonly #prepared: CastleCommand[] = [];

  private constructor(folder: string, name: string, states = join(folder, "labs")) {
    this.folder = folder;
    this.name = name;
    this.#states = states;
  }

  static async prepare(name: string): Promise<CastleCommand> {
    await removeInterrupted(name);
    const castle = new CastleCommand(await mkdtemp(join(tmpdir(), `castle-${name}-`)), name);
    CastleCommand.#prepared.push(castle);
    return castle;
  }

  /** The castles of this file. */
  static get prepared(): readonly CastleCommand[] {
    return CastleCommand.#prepared;
  }

  /** The same castle from another machine, as far as one machine can be two: a home with nothing in it but the spec. */
  async elsewhere(): Promise<CastleCommand> {
    const folder = await mkdtemp(join(tmpdir(), `castle-${this.name}-elsewhere-`));
    await copyFile(join(this.folder, "castle.yaml"), join(folder, "castle.yaml"));
    return new CastleCommand(folder, this.name, this.#states);
  }

  get labs() {
    return labFolders(this.#states, this.name);
  }

  /** Its lab, which is up. */
  async lab(): Promise<RunningLab> {
    const lab = await findLab(this.labs);
    if (lab === undefined) throw new Error("the lab is not up");
    return lab;
  }

  get home(): string {
    return join(this.folder, ".castle", this.name);
  }

  /** All that castle has printed, but for commands that were asked for credentials. */
  get outputs(): readonly string[] {
    return this.#outputs;
  }

  async spec(yaml: string): Promise<void> {
    await writeFile(
      join(this.folder, "castle.yaml"),
      `castle: ${this.name}\nhypervisor: { lab: { name: ${this.name} } }\n${yaml}`,
    );
  }

  /** A JSON file beside the spec. @returns its path */
  async file(name: string, content: unknown): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, JSON.stringify(content));
    return path;
  }

  /** Starts castle and leaves it running. */
  start(...args: readonly string[]) {
    return execa(process.execPath, [EXECUTABLE, ...args], {
      cwd: this.folder,
      env: { CASTLE_LABS: this.#states, XDG_CONFIG_HOME: join(this.folder, "config"), ...this.env },
      stdin: "ignore",
      reject: false,
    });
  }

  async try(...args: readonly string[]): Promise<Said> {
    const { exitCode, signal, stdout, stderr } = await this.start(...args);
    this.#outputs.push(stdout, stderr);
    return { exitCode: exitCode ?? (signal === undefined ? -1 : 128), stdout, stderr };
  }

  /** @returns standard output @throws Error with all that castle said, where it did not end with 0 */
  async run(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.try(...args);
    if (exitCode === 0) return stdout;
    await CastleCommand.onFailure?.(this);
    throw new Error(`castle ${args.join(" ")}: exit ${exitCode}\n${stdout}\n${stderr}`);
  }

  /** Runs with `-o json` and parses the one document. */
  async ask<T>(shape: z.ZodType<T>, ...args: readonly string[]): Promise<T> {
    return shape.parse(JSON.parse(await this.run(...args, "-o", "json")));
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.run("kubectl", "--", ...args);
  }

  talosctl(...args: readonly string[]): Promise<string> {
    return this.run("talosctl", "--", ...args);
  }

  keep(output: string): void {
    this.#outputs.push(output);
  }

  /** @throws Error if anything of the lab is left; the folder stays then, because machines may still stand on it */
  async remove(): Promise<void> {
    await this.try("down", "--yes");
    await this.try("lab", "down", "--yes");
    const { lab, states } = this.labs;
    const left = await census({ labs: { name: lab }, states });
    if (left.length > 0) throw new Error(`left behind in ${this.folder}: ${JSON.stringify(left)}`);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A run that was killed has left its lab, under the name that this one needs. */
async function removeInterrupted(lab: string): Promise<void> {
  const states = await ownerOf(labFolders("", lab));
  if (states !== undefined) await closeLab({ folders: labFolders(states, lab), keepDisks: false });
}

export const statusShape = z.object({
  apiVersion: z.literal("castle.dev/v1alpha1"),
  kind: z.literal("CastleStatus"),
  healthy: z.boolean(),
  nodes: z.array(
    z.object({
      name: z.string(),
      role: z.enum(["controlplane", "worker"]),
      address: z.string(),
      machine: z.string(),
      talos: z.string(),
      kubernetes: z.string(),
    }),
  ),
  etcd: z.object({ voters: z.array(z.string()), leader: z.string().optional() }),
  vip: z.object({ address: z.string(), holder: z.string().optional() }),
});
export type Status = z.infer<typeof statusShape>;

export const raisedShape = z.object({
  apiVersion: z.literal("castle.dev/v1alpha1"),
  kind: z.literal("CastleRaised"),
  castle: z.string(),
  vip: z.string(),
  nodes: z.array(z.string()),
});
