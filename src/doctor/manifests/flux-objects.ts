import { z } from "zod";
import { type Verdict, judge, observedShape } from "../../kubernetes/conditions.ts";
import type { Manifest } from "./manifest.ts";
import { objectName } from "./manifest.ts";

const Flux = z.object({
  metadata: z.object({ creationTimestamp: z.iso.datetime().optional() }),
  spec: z.object({
    suspend: z.boolean().default(false),
    url: z.string().optional(),
    ref: z.object({ branch: z.string().optional() }).optional(),
    sourceRef: z.object({ name: z.string(), namespace: z.string().optional() }).optional(),
  }),
  status: z
    .object({
      observedGeneration: z.number().optional(),
      artifact: z.object({ revision: z.string() }).optional(),
      lastAppliedRevision: z.string().optional(),
    })
    .default({}),
});

/** A GitRepository or a Kustomization of Flux. */
export interface FluxObject {
  readonly manifest: Manifest;
  /** KIND NAMESPACE/NAME */
  readonly object: string;
  readonly suspended: boolean;
  readonly created: Date | undefined;
  /** Its controller has looked at it at least once. */
  readonly seen: boolean;
  readonly verdict: Verdict;
  /** What was fetched, or applied, last. */
  readonly revision: string | undefined;
  readonly branch: string | undefined;
  /** NAMESPACE/NAME of its GitRepository. */
  readonly source: string | undefined;
}

export function fluxObjects(
  manifests: readonly Manifest[],
  kind: "GitRepository" | "Kustomization",
): readonly FluxObject[] {
  return manifests.flatMap((manifest): FluxObject[] => {
    // Kustomize's own file is of that kind as well.
    if (manifest.kind !== kind || !manifest.apiVersion.includes(".toolkit.fluxcd.io/")) return [];
    const [found, observed] = [
      Flux.safeParse(manifest.body).data,
      observedShape.safeParse(manifest.body).data,
    ];
    if (found === undefined || observed === undefined) return [];
    const { metadata, spec, status } = found;
    return [
      {
        manifest,
        object: objectName(manifest),
        suspended: spec.suspend,
        created: metadata.creationTimestamp === undefined ? undefined : new Date(metadata.creationTimestamp),
        seen: (status.observedGeneration ?? -1) >= 0 || observed.status?.conditions !== undefined,
        verdict: judge(observed, "Ready"),
        revision: status.artifact?.revision ?? status.lastAppliedRevision,
        branch: spec.ref?.branch,
        source:
          spec.sourceRef === undefined
            ? undefined
            : `${spec.sourceRef.namespace ?? manifest.namespace}/${spec.sourceRef.name}`,
      },
    ];
  });
}
