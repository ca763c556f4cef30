import { z } from "zod";

const standing = z
  .object({ voters: z.int(), healthy: z.int(), quorum: z.int(), tolerance: z.int() })
  .meta({ description: "Votes in etcd; a tolerance below 0: so many are missing" });

/** What `castle replace`, `scale` and `shift` print, with --dry-run and without; `reset` and `rebuild` with it. */
export const moveDocuments = {
  CastleMove: z
    .object({
      castle: z.string(),
      verb: z.enum(["replace", "scale", "shift", "reset", "rebuild"]),
      done: z.boolean().meta({ description: "False: with --dry-run, nothing was changed" }),
      allowed: z.boolean().meta({ description: "Quorum and network let it be done" }),
      edit: z.array(z.string()).meta({ description: "Lines of castle.yaml that go (-) and come (+)" }),
      machines: z.array(
        z.object({
          name: z.string(),
          address: z.string(),
          change: z.enum(["made", "deleted", "made anew", "moved", "wiped", "empty already"]),
          from: z.string().optional().meta({ description: "The address before" }),
        }),
      ),
      quorum: z.array(
        z.object({
          what: z.string(),
          before: standing,
          during: standing,
          after: standing,
          verdict: z.enum(["safe", "outage", "end", "refused"]),
          reason: z.string(),
        }),
      ),
      lost: z.array(z.string()).meta({ description: "Persistent volumes whose data goes" }),
      occupied: z.array(z.object({ who: z.string(), address: z.string(), occupant: z.string() })),
      notes: z.array(z.string()),
      milliseconds: z
        .object({
          ready: z.int().meta({ description: "All nodes Ready, from the start of the last raise" }),
          all: z.int(),
        })
        .optional(),
      warnings: z.array(
        z.object({ id: z.string().optional(), message: z.string(), hint: z.string().optional() }),
      ),
    })
    .meta({ description: "castle replace, scale and shift; castle reset and rebuild with --dry-run" }),
} as const;
