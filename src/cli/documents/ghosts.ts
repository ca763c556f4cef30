import { z } from "zod";

const milliseconds = z.int().min(0).meta({ description: "Milliseconds" });

const standing = z.object({
  voters: z.int(),
  healthy: z.int(),
  quorum: z.int().meta({ description: "Votes that a decision needs" }),
  tolerance: z.int().meta({ description: "Healthy voters that may be lost; negative: so many are missing" }),
});

const ghost = z.object({
  class: z.enum(["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"]),
  title: z.string(),
  subject: z.string().meta({ description: "A node's name, or a member's id" }),
  state: z.enum(["ghost", "joining"]),
  seconds: z.number().optional().meta({ description: "How long it has been joining" }),
  ghostAt: z.number().optional().meta({ description: "Seconds at which joining becomes a ghost" }),
  evidence: z.array(
    z.object({
      source: z.enum(["spec", "machine", "etcd", "discovery", "kubernetes", "hypervisor"]),
      fact: z.string(),
    }),
  ),
  cures: z.array(z.object({ kind: z.string(), text: z.string() })),
  quorum: z
    .array(
      z.object({
        step: z.enum(["interrupt", "remove", "add"]),
        member: z.string(),
        before: standing,
        during: standing,
        after: standing,
        verdict: z.enum(["safe", "outage", "end", "refused"]),
        reason: z.string(),
      }),
    )
    .meta({ description: "What each step of the cure makes of etcd's quorum, as if it were the only ghost" }),
  curable: z.boolean().meta({ description: "Quorum allows every step" }),
});

/** What castle ghosts prints. */
export const ghostDocuments = {
  Ghosts: z
    .object({
      castle: z.string(),
      milliseconds: milliseconds.meta({ description: "From the first question to the verdict" }),
      quorum: z.object({
        state: z.enum(["holds", "lost", "unknown"]),
        standing: standing.optional(),
      }),
      ghosts: z.array(ghost),
      silent: z.array(z.string()).meta({ description: "Nodes that did not answer" }),
      alarms: z.array(z.object({ node: z.string(), alarm: z.string() })).meta({ description: "etcd's own" }),
      waysOut: z
        .array(z.object({ command: z.string(), loses: z.string() }))
        .meta({ description: "Where quorum is lost: what brings the castle back" }),
    })
    .meta({ description: "castle ghosts; exit code 3 where there are ghosts or quorum is lost" }),
  GhostsCured: z
    .object({
      castle: z.string(),
      milliseconds: z.object({
        verdict: milliseconds,
        cure: milliseconds.meta({ description: "Until every control plane that answers votes again" }),
      }),
      cured: z.array(z.object({ class: z.string(), subject: z.string(), milliseconds })),
      left: z.array(ghost).meta({ description: "What castle cannot cure; exit code 3" }),
      waiting: z.array(z.string()).meta({ description: "Control planes that do not vote yet; exit code 3" }),
    })
    .meta({ description: "castle ghosts --cure" }),
} as const;
