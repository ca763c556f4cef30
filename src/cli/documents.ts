import { z } from "zod";
import { backupDocuments } from "./documents/backup.ts";
import { doctorDocuments } from "./documents/doctor.ts";
import { ghostDocuments } from "./documents/ghosts.ts";
import { labDocuments } from "./documents/lab.ts";
import { moveDocuments } from "./documents/moves.ts";
import { platformDocuments, platformPlan, platformRaised, platformStatus } from "./documents/platform.ts";
import { publishDocuments } from "./documents/publish.ts";

/*
 * Every document that `-o json` prints: its kind and the shape of its fields beside apiVersion and kind. Commands are
 * type-checked against these shapes, and docs/schemas/KIND.schema.json is generated from them.
 */

/** What all documents carry first. */
export const API_VERSION = "castle.dev/v1alpha1";

const milliseconds = z.int().min(0).meta({ description: "Milliseconds" });
const role = z.enum(["controlplane", "worker"]);
const warning = z.object({ id: z.string().optional(), message: z.string(), hint: z.string().optional() });
const path = z.string().meta({ description: "Absolute path of a file" });

const change = z.object({
  address: z.string().meta({ description: "Terraform's address of the resource" }),
  title: z.string(),
  attributes: z.array(z.string()).meta({ description: "The provider's attributes that differ" }),
  restarts: z.boolean().meta({ description: "The machine is stopped and started for it" }),
});

const partSet = z.enum(["machines", "platform", "monitoring"]);

const part = z.object({
  name: z.string(),
  version: z.string(),
  set: partSet,
  purpose: z.string(),
  state: z.enum(["whole", "missing", "broken"]),
  origin: z.enum(["built", "pulled"]).optional(),
  wanted: z.boolean().meta({ description: "Of the sets that were asked for, and no mere piece of others" }),
});

const nodeStatus = z.object({
  name: z.string(),
  role,
  address: z.string(),
  host: z.string(),
  machine: z.enum(["running", "stopped", "missing", "unknown"]),
  talos: z.string().meta({ description: "Talos' stage, or why nothing is known of it" }),
  talosVersion: z.string().optional(),
  etcd: z.enum(["leader", "voter", "learner"]).optional(),
  vip: z.boolean().meta({ description: "The node holds the VIP" }),
  kubernetes: z.enum(["ready", "not-ready", "missing", "unknown"]),
  kubeletVersion: z.string().optional(),
});

export const documents = {
  ...backupDocuments,
  ...doctorDocuments,
  ...ghostDocuments,
  ...labDocuments,
  ...moveDocuments,
  ...platformDocuments,
  Error: z
    .object({
      code: z.string().meta({ description: "Stable; docs/errors.md lists all" }),
      message: z.string(),
      hint: z.string().optional().meta({ description: "The next command, or the change to make" }),
      details: z.record(z.string(), z.unknown()),
    })
    .meta({ description: "Why a command did not do what it was asked; any command may print it instead" }),
  SpecWritten: z.object({ file: path }).meta({ description: "castle init" }),
  Validation: z
    .object({
      castle: z.string(),
      nodes: z.array(z.object({ name: z.string(), role, address: z.string(), host: z.string() })),
      faults: z.array(z.unknown()).meta({ description: "Empty: a spec with faults ends with kind Error" }),
      warnings: z.array(warning),
    })
    .meta({ description: "castle validate" }),
  CastlePlan: z
    .object({
      castle: z.string(),
      differs: z.boolean().meta({ description: "castle up would change something; exit code 3" }),
      ground: z.enum(["lab", "rack"]),
      labMissing: z.boolean().meta({ description: "The lab is not up: castle up would make it first" }),
      machines: z.object({
        creates: z.array(change),
        updates: z.array(change),
        replaces: z.array(change),
        destroys: z.array(change),
        adopts: z.array(change),
        refusal: z.string().optional().meta({ description: "Why castle up will not do this" }),
      }),
      nodes: z.array(
        z.object({
          name: z.string(),
          change: z.enum(["configure", "reconfigure", "none", "foreign", "unknown"]),
          differences: z.array(z.string()).meta({ description: "Paths in the machine configuration" }),
          reason: z.string().optional(),
          talos: z.object({ running: z.string(), wanted: z.string() }).optional(),
        }),
      ),
      platform: platformPlan.optional().meta({ description: "With gitops: the repository" }),
      warnings: z.array(warning),
      notes: z
        .array(z.string())
        .meta({ description: "What the castle's own additions cost, and how to leave them out" }),
      standIns: z.array(z.string()).meta({ description: "What on this ground stands in for a rack" }),
    })
    .meta({ description: "castle plan" }),
  Rendered: z
    .object({ castle: z.string(), folder: path, files: z.array(z.string()) })
    .meta({ description: "castle render" }),
  CastleRaised: z
    .object({
      castle: z.string(),
      vip: z.string(),
      nodes: z.array(z.string()),
      milliseconds: z.object({
        machines: milliseconds,
        configured: milliseconds,
        api: milliseconds,
        ready: milliseconds,
        total: milliseconds.meta({ description: "The end: all of etcd votes, and nothing is left to do" }),
        pages: milliseconds.optional().meta({ description: "Every site showed its page over HTTPS" }),
      }),
      platform: platformRaised.optional().meta({ description: "With gitops" }),
      warnings: z.array(warning),
    })
    .meta({ description: "castle up and rebuild" }),
  CastleReset: z
    .object({
      castle: z.string(),
      nodes: z.array(z.object({ name: z.string(), outcome: z.enum(["wiped", "was empty", "no machine"]) })),
    })
    .meta({ description: "castle reset: every node is empty" }),
  CastleGone: z
    .object({ castle: z.string(), machines: z.array(z.string()) })
    .meta({ description: "castle down: the machines that were deleted" }),
  CastleStatus: z
    .object({
      castle: z.string(),
      healthy: z.boolean(),
      nodes: z.array(nodeStatus),
      etcd: z.object({ voters: z.array(z.string()), leader: z.string().optional() }),
      vip: z.object({ address: z.string(), holder: z.string().optional() }),
      kubernetes: z.string().optional().meta({ description: "The API server's version; absent: silent" }),
      platform: platformStatus.optional().meta({ description: "With gitops, where the API answers" }),
    })
    .meta({ description: "castle status" }),
  Kubeconfig: z
    .object({ file: path, lan: z.boolean() })
    .meta({ description: "castle kubeconfig: the file (mode 0600), not its content" }),
  Talosconfig: z
    .object({ file: path, lan: z.boolean() })
    .meta({ description: "castle talosconfig: the file (mode 0600), not its content" }),
  CastleLogin: z
    .object({
      castle: z.string(),
      store: z.string().meta({ description: "Where the credentials came from" }),
      kubeconfig: path,
      talosconfig: path,
      answers: z.boolean().meta({ description: "The Kubernetes API answered to them" }),
    })
    .meta({ description: "castle login: files of mode 0600, not their content" }),
  CastleSecrets: z
    .object({
      castle: z.string(),
      store: z.string(),
      secrets: z.array(
        z.object({
          name: z.string(),
          kept: z.string().meta({ description: "ISO 8601, UTC" }),
          pending: z.boolean().meta({ description: "Not in the store yet: castle secrets sync" }),
        }),
      ),
      sopsRecipient: z.string().optional().meta({
        description: "Public: whom Secrets of one's own in Git are encrypted for, with sops and age",
      }),
      cluster: z
        .array(z.object({ namespace: z.string(), name: z.string(), created: z.string() }))
        .meta({ description: "Secrets labelled app.kubernetes.io/managed-by: castle" }),
      silent: z.string().optional().meta({ description: "Why the cluster was not asked" }),
    })
    .meta({ description: "castle secrets: names and times, never values; exit code 3 where one is pending" }),
  SecretsSynced: z
    .object({ castle: z.string(), store: z.string(), written: z.array(z.string()) })
    .meta({ description: "castle secrets sync: the names of what was written" }),
  CastleCertificates: z
    .object({
      castle: z.string(),
      certificates: z.array(
        z.object({
          site: z.string(),
          host: z.string(),
          secret: z.string().meta({ description: "namespace/name" }),
          state: z.enum(["pending", "valid", "failed"]),
          issuer: z.string().optional(),
          notAfter: z.string().optional(),
          daysLeft: z.int().optional(),
          message: z.string().optional().meta({ description: "What is waited for" }),
          error: z.string().optional().meta({ description: "Of the last order, with its challenge's" }),
          nextTry: z.string().optional(),
        }),
      ),
    })
    .meta({ description: "castle certs; exit code 3 where one failed" }),
  CastleEvents: z
    .object({
      castle: z.string(),
      silent: z.array(z.string()).meta({ description: "Nodes that did not tell" }),
      events: z.array(
        z.object({
          at: z.string().meta({ description: "ISO 8601, UTC; nodes tell whole seconds" }),
          from: z.string().meta({ description: "A node's name, or castle for the journal" }),
          type: z.string(),
          text: z.string(),
        }),
      ),
    })
    .meta({ description: "castle events" }),
  ...publishDocuments,
  Parts: z
    .object({
      store: path,
      sets: z.array(partSet).meta({ description: "What was asked for" }),
      parts: z.array(part).meta({ description: "All parts of all sets" }),
    })
    .meta({ description: "castle parts list, build and verify" }),
  PartsPulled: z.object({ parts: z.array(z.string()) }).meta({ description: "castle parts pull" }),
  PartsExported: z
    .object({ file: path, bytes: z.int(), parts: z.array(z.string()) })
    .meta({ description: "castle parts export" }),
  PartsImported: z
    .object({ file: path, parts: z.array(z.string()) })
    .meta({ description: "castle parts import" }),
  PartsPruned: z
    .object({ store: path, objects: z.int(), bytes: z.int().meta({ description: "What that gave back" }) })
    .meta({ description: "castle parts prune" }),
} as const;

export type DocumentKind = keyof typeof documents;

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

export type DocumentData<K extends DocumentKind> = Frozen<z.infer<(typeof documents)[K]>>;

/** The whole document of a kind, as it stands on standard output. */
export function documentShape(kind: DocumentKind) {
  const shape: z.ZodObject = documents[kind];
  const { description } = shape.meta() ?? {};
  return z
    .strictObject({ apiVersion: z.literal(API_VERSION), kind: z.literal(kind), ...shape.shape })
    .meta({ title: kind, description });
}
