import { z } from "zod";
import type { Site } from "./castle.ts";
import { readDocument } from "./document.ts";
import { Draft } from "./draft.ts";
import type { Fault } from "./fault.ts";
import { gitopsSection, siteSection } from "./schema.ts";
import { reportIssues } from "./structure.ts";

/** Sites and the manifests that run them, without a castle: any cluster that Flux keeps is good enough. */
export interface Publication {
  readonly gitops: { readonly repository: string; readonly branch: string; readonly path?: string };
  readonly sites: readonly Site[];
}

export type ParsedPublication =
  | { readonly publication: Publication }
  | { readonly faults: readonly [Fault, ...Fault[]] };

/** The same keys as in a castle.yaml, of which repository and image have no default here. */
const publicationSchema = z.strictObject(
  {
    gitops: gitopsSection.required({ repository: true }),
    sites: z.array(siteSection.required({ image: true }), { error: "a list of sites" }),
  },
  { error: "a section with the keys gitops, sites" },
);

/** Whether a file means sites alone: it has sites and names no castle. */
export function isPublication(text: string): boolean {
  const { value } = readDocument(text);
  return typeof value === "object" && value !== null && "sites" in value && !("castle" in value);
}

/** Reads a file of sites alone; every fault comes back at once, as those of a castle.yaml do. */
export function parsePublication(text: string, file: string): ParsedPublication {
  const document = readDocument(text);
  const draft = new Draft(document, file);
  for (const fault of document.faults) draft.faultAt(fault, fault.path ?? [], fault);
  const parsed = publicationSchema.safeParse(document.value);
  if (!parsed.success) reportIssues(parsed.error.issues, document.value, draft);
  const [first, ...rest] = draft.faults;
  if (first !== undefined) return { faults: [first, ...rest] };
  if (!parsed.success) throw new Error("a file that does not parse has a fault");
  const { gitops, sites } = parsed.data;
  return {
    publication: {
      gitops: {
        repository: gitops.repository,
        branch: gitops.branch ?? "main",
        ...(gitops.path === undefined ? {} : { path: gitops.path }),
      },
      sites: sites.map(({ name, host, source, image }) => ({ name, host, image, source: source ?? "." })),
    },
  };
}
