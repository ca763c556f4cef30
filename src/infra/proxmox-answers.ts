import { z } from "zod";

// Proxmox writes numbers and booleans now as numbers, now as strings: take both at the edge.
const count = z.coerce.number();
const flag = z
  .union([z.boolean(), z.number(), z.string()])
  .transform((value) => value === true || value === 1 || value === "1");

export const VersionAnswer = z.object({ version: z.string(), release: z.string().optional() });

export const NodesAnswer = z.array(z.object({ node: z.string(), status: z.string().optional() }));

export const MachinesAnswer = z.array(
  z.object({
    vmid: count,
    node: z.string(),
    type: z.string().optional(),
    name: z.string().optional(),
    status: z.string().optional(),
    tags: z.string().optional(),
  }),
);

export const MachineConfigAnswer = z.object({ name: z.string().optional(), tags: z.string().optional() });

export const StoragesAnswer = z.array(
  z.object({
    storage: z.string(),
    type: z.string().optional(),
    content: z.string().default(""),
    active: flag.optional(),
    enabled: flag.optional(),
    /** Bytes. */
    avail: count.optional(),
  }),
);

export const PoolsAnswer = z.array(z.object({ poolid: z.string(), comment: z.string().default("") }));

export const VolumesAnswer = z.array(z.object({ volid: z.string() }));

export const InterfacesAnswer = z.array(z.object({ iface: z.string(), type: z.string().optional() }));

/** Path to privilege to 1 where it is inherited by what lies below, 0 where it is not. */
export const PermissionsAnswer = z.record(z.string(), z.record(z.string(), count));

export type Permissions = z.infer<typeof PermissionsAnswer>;
export type StorageAnswer = z.infer<typeof StoragesAnswer>[number];

/** A task's state; `exitstatus` is OK, or why it failed. */
export const TaskAnswer = z.object({
  status: z.enum(["running", "stopped"]),
  exitstatus: z.string().optional(),
});
