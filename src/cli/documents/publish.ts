import { z } from "zod";

const milliseconds = z.int().min(0).meta({ description: "Milliseconds" });
const path = z.string().meta({ description: "Absolute path of a file" });
const digest = z.string().meta({ description: "sha256:…" });
const pushedBlobs = z.object({ blobs: z.int(), bytes: z.int() });

/** What the commands of a site's releases print with `-o json`. */
export const publishDocuments = {
  Released: z
    .object({
      site: z.string(),
      action: z.enum(["publish", "rollback", "resume"]),
      outcome: z.enum(["live", "committed"]).meta({ description: "committed: there was no cluster to ask" }),
      at: z.string().meta({ description: "ISO 8601, UTC" }),
      image: z.string(),
      commit: z.string().meta({ description: "Of the site's repository" }),
      tag: z.string(),
      digest,
      registry: z
        .object({
          written: z.boolean().meta({ description: "False: the registry had the release already" }),
          uploaded: pushedBlobs,
          mounted: z.int(),
          present: z.int(),
        })
        .optional()
        .meta({ description: "Absent: nothing was built" }),
      manifests: z.object({
        commit: z.string(),
        file: z.string(),
        previous: z.string().optional().meta({ description: "What stood there: TAG@DIGEST" }),
        pushed: z.boolean().meta({ description: "False: the release stood there already" }),
      }),
      pods: z.array(
        z.object({
          namespace: z.string(),
          pod: z.string(),
          node: z.string().optional(),
          imageId: z.string(),
          files: z.int().meta({ description: "Files whose bytes were compared" }),
        }),
      ),
      public: z.object({ url: z.string(), files: z.int() }).optional(),
      url: z
        .string()
        .optional()
        .meta({ description: "What a browser on the machine that castle runs on opens as it stands" }),
      warnings: z.array(z.string()),
      milliseconds,
      phases: z.array(
        z.object({
          phase: z.enum(["source", "build", "registry", "gitops", "rollout", "proof"]),
          step: z.string(),
          milliseconds,
          outcome: z.enum(["done", "skipped", "failed"]),
          detail: z.string().optional(),
        }),
      ),
    })
    .meta({ description: "castle publish and castle rollback: the receipt" }),
  PublishPlan: z
    .object({
      site: z.string(),
      commit: z.string(),
      tag: z.string(),
      digest,
      live: z.string().optional().meta({ description: "Tag of the live release" }),
      same: z.boolean(),
      added: z.array(z.string()),
      changed: z.array(z.string()),
      gone: z.array(z.string()),
      unlisted: z.boolean().meta({ description: "The live image does not list its files" }),
      pages: z.int(),
      bytes: z.int(),
      push: pushedBlobs,
      warnings: z.array(z.string()),
    })
    .meta({ description: "castle publish --plan" }),
  SiteLocked: z
    .object({ site: z.string(), file: path, base: z.string(), changed: z.boolean() })
    .meta({ description: "castle publish --lock" }),
  DockerfileWritten: z
    .object({
      site: z.string(),
      port: z.int().meta({ description: "That the image's nginx listens on" }),
      files: z.array(z.object({ path, changed: z.boolean() })),
    })
    .meta({ description: "castle publish --dockerfile" }),
  SiteReleases: z
    .object({
      site: z.string(),
      image: z.string(),
      releases: z.array(
        z.object({
          tag: z.string(),
          commit: z.string(),
          digest: digest.optional(),
          at: z.string().optional().meta({ description: "When it first was the wanted one; absent: never" }),
          live: z.boolean(),
          registry: z.enum(["there", "gone", "changed"]),
        }),
      ),
    })
    .meta({ description: "castle releases, newest first" }),
} as const;
