import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CastleError } from "../../../errors/castle-error.ts";
import { writeFileAtomic } from "../../../support/write-file.ts";
import type { HypervisorState, TaskRecord, VmRecord, VolumeRecord } from "./record.ts";

const FORMAT = 1;

const vmSchema = z.object({
  vmid: z.number().int().positive(),
  host: z.string(),
  options: z.record(z.string(), z.string()),
  template: z.boolean(),
  onWanted: z.boolean(),
  wipeWanted: z.boolean(),
  everStarted: z.boolean(),
  lock: z.exactOptional(z.enum(["create", "clone", "destroy"])),
}) satisfies z.ZodType<VmRecord>;

const volumeSchema = z.object({
  host: z.string(),
  volid: z.string(),
  content: z.enum(["images", "import", "iso"]),
  format: z.enum(["raw", "qcow2", "iso"]),
  size: z.number(),
  talos: z.exactOptional(z.string()),
  vmid: z.exactOptional(z.number().int().positive()),
  created: z.number(),
}) satisfies z.ZodType<VolumeRecord>;

const taskSchema = z.object({
  upid: z.string(),
  endTime: z.exactOptional(z.number()),
  exitStatus: z.exactOptional(z.string()),
  log: z.array(z.string()),
}) satisfies z.ZodType<TaskRecord>;

const fileSchema = z.object({
  format: z.literal(FORMAT),
  vms: z.array(vmSchema),
  volumes: z.array(volumeSchema),
  tasks: z.array(taskSchema),
  /** Not in the files of castles before there were pools. */
  pools: z.record(z.string(), z.string()).default({}),
});

/** The hypervisor's memory: plain objects, changed in place, and one file that each `save` replaces whole. */
export class StateFile {
  readonly state: HypervisorState;
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(path: string, state: HypervisorState) {
    this.#path = path;
    this.state = state;
  }

  /**
   * Reads what an earlier daemon left, or begins empty.
   * @throws CastleError hypervisor/state-damaged: the file is there and not one that castle wrote.
   */
  static async open(path: string): Promise<StateFile> {
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) {
      return new StateFile(path, { vms: new Map(), volumes: [], tasks: [], pools: new Map() });
    }
    const { vms, volumes, tasks, pools } = parse(path, text);
    return new StateFile(path, {
      vms: new Map(vms.map((vm) => [vm.vmid, vm])),
      volumes,
      tasks,
      pools: new Map(Object.entries(pools)),
    });
  }

  /** Resolves once all that was changed before the call is on the disk; calls made meanwhile share one write. */
  async save(): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#writing = this.#write();
        return this.#writing;
      });
    await this.#next;
  }

  async #write(): Promise<void> {
    const { vms, volumes, tasks, pools } = this.state;
    const content = {
      format: FORMAT,
      vms: [...vms.values()],
      volumes,
      tasks,
      pools: Object.fromEntries(pools),
    };
    await writeFileAtomic(this.#path, `${JSON.stringify(content, undefined, 1)}\n`);
  }
}

function parse(path: string, text: string): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CastleError("hypervisor/state-damaged", {
      message: `${path} is not a state file of this version of castle's lab`,
      hint: "castle lab down LAB --yes takes the lab away, with its machines; then castle up",
      cause,
    });
  }
}
