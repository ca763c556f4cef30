import { z } from "zod";

const finding = z.object({
  severity: z.enum(["critical", "warning"]),
  object: z.string().meta({ description: "What it is about, for example a node" }),
  message: z.string(),
  fix: z.string().optional().meta({ description: "The next command, or the change to make" }),
});

/** What health and doctor print. */
export const doctorDocuments = {
  CastleHealth: z
    .object({
      castle: z.string(),
      healthy: z.boolean().meta({ description: "Nothing found and nothing unknown; otherwise exit code 3" }),
      milliseconds: z.int().min(0).meta({ description: "Milliseconds" }),
      checks: z.array(
        z.object({
          id: z.string().meta({ description: "Stable" }),
          title: z.string().meta({ description: "What is true when nothing is found" }),
          verdict: z.enum(["healthy", "findings", "unknown"]),
          findings: z.array(finding),
          unknown: z.string().optional().meta({ description: "Why nothing could be said" }),
        }),
      ),
    })
    .meta({ description: "castle health" }),
  Diagnoses: z
    .object({
      objects: z.int().meta({ description: "How many objects and values were read" }),
      diagnoses: z.array(
        finding.extend({
          disease: z.string().meta({ description: "Stable" }),
          evidence: z.array(z.string()).meta({ description: "What was read, with its place" }),
          command: z.string().optional().meta({ description: "Mends it, or leads to where it is mended" }),
          symptoms: z.array(z.string()).optional().meta({ description: "Objects that suffer from it" }),
        }),
      ),
      unknown: z
        .array(z.object({ disease: z.string(), reason: z.string() }))
        .meta({ description: "What nothing could be said of, and why; exit code 3 as well" }),
    })
    .meta({ description: "castle doctor; exit code 3 where something was found" }),
} as const;
