import { z } from "zod";

/** What `-o json` says of the platform: pieces of the castle's documents, and castle reconcile's own. */

const revision = z.string().meta({ description: "BRANCH@sha1:COMMIT, applied by Flux" });

export const platformRaised = z.object({
  revision,
  ingress: z.string().optional().meta({ description: "The address that the sites are served at" }),
  sites: z.array(z.object({ name: z.string(), host: z.string(), url: z.string().optional() })),
});

export const platformPlan = z.object({
  changes: z.array(z.object({ path: z.string(), change: z.enum(["written", "removed"]) })),
  edits: z
    .array(z.object({ path: z.string(), change: z.enum(["edited", "added", "removed"]) }))
    .meta({ description: "What somebody changed in castle's folder: castle up stops there" }),
  diff: z.string(),
});

export const platformStatus = z.object({
  healthy: z.boolean(),
  revision: z.string().optional().meta({ description: "What Flux fetched last, BRANCH@sha1:COMMIT" }),
  source: z.string().meta({ description: "Flux' words on the repository" }),
  components: z.array(
    z.object({
      name: z.string(),
      ready: z.boolean(),
      revision: z.string().optional(),
      message: z.string(),
    }),
  ),
  ingress: z.object({ wanted: z.string().optional(), address: z.string().optional() }),
  sites: z.array(
    z.object({
      name: z.string(),
      host: z.string(),
      url: z.string(),
      certificate: z.enum(["pending", "valid", "failed", "none"]),
    }),
  ),
});

export const platformDocuments = {
  SiteOpened: z
    .object({
      site: z.string(),
      host: z.string(),
      url: z.url().meta({ description: "A browser on this machine opens it as it stands" }),
    })
    .meta({ description: "castle open" }),
  Reconciled: z
    .object({
      castle: z.string(),
      revision,
      components: z.array(z.string()).meta({ description: "What the pushed change concerns: they run it" }),
      unconcerned: z
        .array(z.string())
        .meta({ description: "What it cannot concern: they stand at an earlier revision" }),
      milliseconds: z.int().min(0).meta({ description: "Milliseconds" }),
    })
    .meta({ description: "castle reconcile" }),
} as const;
