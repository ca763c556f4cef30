import { z } from "zod";
import type { Secret } from "../support/secret.ts";

export const manifestShape = z.strictObject({
  format: z.literal(1),
  castle: z.string(),
  /** When etcd was read, ISO 8601, UTC. */
  taken: z.iso.datetime(),
  /** Talos' id of the cluster, and the SHA-256 of the authority that its nodes trust. */
  cluster: z.string(),
  authority: z.string(),
  /** With the leading v. */
  talos: z.string(),
  kubernetes: z.string(),
  etcd: z.strictObject({
    /** Of the newest write in it. */
    revision: z.string(),
    /** Keys under /registry, which is to say Kubernetes' objects. */
    objects: z.int(),
  }),
  /** SHA-256 of the other files by their names. */
  files: z.record(z.string(), z.string()),
});

/** What a backup says of itself. */
export type Manifest = Readonly<z.infer<typeof manifestShape>>;

/** All that raises the castle again, down to its objects. */
export interface BackupContents {
  readonly manifest: Manifest;
  /** castle.yaml, as its author wrote it. */
  readonly spec: string;
  /** What the secret store held, by name. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** As etcd streamed it: the database and its hash. */
  readonly snapshot: Buffer;
}
