import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { IMAGE_TYPE, MACHINE_TYPE } from "./address.ts";

/** The parts of Terraform's state format 4 that castle reads; OpenTofu writes the same. */
const StateFile = z.object({
  version: z.literal(4),
  resources: z
    .array(
      z.object({
        mode: z.string(),
        type: z.string(),
        name: z.string(),
        instances: z.array(
          z.object({
            status: z.string().optional(),
            attributes: z.record(z.string(), z.unknown()).nullish(),
          }),
        ),
      }),
    )
    .default([]),
});

const MachineAttributes = z.object({
  vm_id: z.coerce.number(),
  node_name: z.string(),
  name: z.string().nullish(),
});

export interface StateMachine {
  readonly vmid: number;
  readonly host: string;
  readonly name: string;
}

export interface StateResource {
  readonly address: string;
  /** Terraform's mark for "creating it failed half-way": it would replace the resource at the next apply. */
  readonly tainted: boolean;
  /** The provider's id: of a machine its VM id, of an image its volume. */
  readonly id: string;
  readonly machine?: StateMachine;
  /** host/volume of an image. */
  readonly image?: string;
}

/**
 * What Terraform believes to own in `directory`; no file means nothing.
 * @throws CastleError infra/state-unreadable
 */
export async function readState(directory: string): Promise<readonly StateResource[]> {
  const path = join(directory, "terraform.tfstate");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isMissing(error)) return "";
    throw error;
  });
  if (text === "") return [];
  try {
    return StateFile.parse(JSON.parse(text)).resources.flatMap((resource) =>
      resource.mode === "managed"
        ? resource.instances.map((instance) => ({
            address: `${resource.type}.${resource.name}`,
            tainted: instance.status === "tainted",
            id: z.string().catch("").parse(instance.attributes?.["id"]),
            ...machineOf(resource.type, instance.attributes),
            ...imageOf(resource.type, instance.attributes),
          }))
        : [],
    );
  } catch (error) {
    throw new CastleError("infra/state-unreadable", {
      message: `the Terraform state ${path} is damaged`,
      hint: `remove ${path} and run castle up: the machines are found again by their tag`,
      cause: error,
    });
  }
}

/** Terraform writes its state with the ordinary mode; the folder shields it until this call does. */
export async function protectState(directory: string): Promise<void> {
  for (const name of ["terraform.tfstate", "terraform.tfstate.backup", "castle.tfplan"]) {
    await chmod(join(directory, name), 0o600).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}

function machineOf(type: string, attributes: unknown): Pick<StateResource, "machine"> {
  if (type !== MACHINE_TYPE) return {};
  const parsed = MachineAttributes.safeParse(attributes);
  if (!parsed.success) return {};
  const { vm_id: vmid, node_name: host, name } = parsed.data;
  return { machine: { vmid, host, name: name ?? "" } };
}

const ImageAttributes = z.object({ id: z.string(), node_name: z.string() });

function imageOf(type: string, attributes: unknown): Pick<StateResource, "image"> {
  if (type !== IMAGE_TYPE) return {};
  const parsed = ImageAttributes.safeParse(attributes);
  return parsed.success ? { image: `${parsed.data.node_name}/${parsed.data.id}` } : {};
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
