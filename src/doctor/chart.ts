import type { Chart } from "./disease.ts";
import type { Examination } from "./examination.ts";
import type { ClusterObjects } from "./manifests/cluster-objects.ts";

/** What a running cluster told, as diseases read it. A silent one has no objects, and its castle may still tell. */
export function chartOf(
  objects: ClusterObjects | { readonly silent: string },
  examination: Examination | undefined,
  at = examination?.at,
): Chart {
  return {
    manifests: objects.silent === undefined ? objects.objects : [],
    others: [],
    ...(at === undefined ? {} : { at }),
    ...(objects.silent === undefined ? { unread: objects.unread } : {}),
    ...(examination === undefined ? {} : { examination }),
  };
}
