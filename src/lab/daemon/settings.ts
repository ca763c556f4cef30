import { randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { LabFolders } from "../folders.ts";

const settingsShape = z.strictObject({
  name: z.string(),
  network: z.strictObject({ cidr: z.string(), gateway: z.string() }),
  hosts: z.array(z.string()).min(1),
  bridge: z.string(),
  datastore: z.string(),
  imageDatastore: z.string(),
  /** user@realm!name and its secret. */
  token: z.strictObject({ id: z.string(), secret: z.string() }),
  /** Port of the Proxmox API on 127.0.0.1; 0 takes a free one and keeps it. */
  port: z.int(),
  /** Paths of the parts that the lab is made of. */
  parts: z.strictObject({
    /** Root file systems of nodes by Talos version. */
    rootfs: z.strictObject({ version: z.string(), path: z.string() }),
    runc: z.string(),
    registry: z.string(),
    coredns: z.string(),
    /** The images that nodes run, unpacked; a lab of an older castle has none, and its nodes pull all. */
    nodeImages: z.string().optional(),
    images: z.array(z.strictObject({ repository: z.string(), tag: z.string(), layout: z.string() })),
  }),
  /** Command that runs castle's lab agent; the daemon adds the agent's options. */
  agent: z.tuple([z.string()], z.string()),
});

/** What a lab is told about itself: names, network, token and parts. Nothing of it is hard-wired. */
export type LabSettings = z.infer<typeof settingsShape>;

/** A token of its own for every lab; kept in the lab's settings, which only root may read. */
export function newToken(): LabSettings["token"] {
  return {
    id: "root@pam!castle",
    secret: randomUUID({ disableEntropyCache: true }) + randomBytes(4).toString("hex"),
  };
}

/** @throws CastleError lab/settings-broken */
export async function readSettings(folders: LabFolders): Promise<LabSettings | undefined> {
  const text = await readFile(folders.settings, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return settingsShape.parse(JSON.parse(text));
  } catch (cause) {
    throw new CastleError("lab/settings-broken", {
      message: `${folders.settings} is not what a lab's settings look like`,
      hint: `castle lab down ${folders.lab} --yes takes the lab away, with its machines' disks`,
      cause,
    });
  }
}

export async function writeSettings(folders: LabFolders, settings: LabSettings): Promise<void> {
  await writeFileAtomic(folders.settings, `${JSON.stringify(settings, undefined, 2)}\n`);
}
