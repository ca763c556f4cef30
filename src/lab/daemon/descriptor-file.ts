import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { LabDescriptor } from "../descriptor.ts";
import type { LabFolders } from "../folders.ts";
import { acmeShape, gitShape } from "./control-protocol.ts";

const shape = z.object({
  name: z.string(),
  pid: z.int(),
  api: z.object({ endpoint: z.string(), token: z.string(), certificate: z.string() }),
  hosts: z.array(z.string()),
  network: z.object({ cidr: z.string(), gateway: z.string() }),
  lan: z.object({
    namespace: z.string(),
    registry: z.string(),
    discovery: z.string(),
    dns: z.string(),
    socket: z.string(),
    git: gitShape.optional(),
    acme: acmeShape.optional(),
  }),
});

/**
 * What the daemon of this lab last wrote; that the file is there does not mean that the lab is up. A damaged one tells
 * nothing, and the next daemon writes it anew.
 */
export async function readDescriptor(folders: LabFolders): Promise<LabDescriptor | undefined> {
  const text = await readFile(folders.descriptor, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export async function writeDescriptor(folders: LabFolders, descriptor: LabDescriptor): Promise<void> {
  await writeFileAtomic(folders.descriptor, `${JSON.stringify(descriptor, undefined, 2)}\n`);
}
