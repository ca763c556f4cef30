import { componentNames } from "../../platform/components.ts";
import { FLUX_NAMESPACE } from "../../platform/flux-controller.ts";
import { SYNC_NAME } from "../../platform/synchronisation.ts";
import type { Check } from "../check.ts";
import type { Finding } from "../finding.ts";
import { type FluxObject, fluxObjects } from "../manifests/flux-objects.ts";

export const flux: Check = {
  id: "flux",
  title: "Flux has fetched what Git holds and applied all of it",
  judge: ({ castle, objects, git }) => {
    if (castle.gitops === undefined) return [];
    if (objects.silent !== undefined) return { unknown: objects.silent };
    const unread = objects.unread.get("GitRepository") ?? objects.unread.get("Kustomization");
    if (unread !== undefined) return { unknown: unread };
    const source = fluxObjects(objects.objects, "GitRepository").find(
      (one) => own(one) && one.manifest.name === SYNC_NAME,
    );
    const orders = fluxObjects(objects.objects, "Kustomization").filter(own);
    const name = `GitRepository ${FLUX_NAMESPACE}/${SYNC_NAME}`;
    if (source === undefined) return [absent(name)];
    const wanted = git === undefined || git.silent !== undefined ? undefined : git.revision;
    const findings = [
      ...(source.verdict.kind === "false" ? [told(name, source.verdict.words)] : []),
      ...(wanted === undefined || source.revision === wanted ? [] : [behind(name, source.revision, wanted)]),
      ...componentNames(castle).flatMap((component): Finding[] => {
        const object = `Kustomization ${FLUX_NAMESPACE}/${component}`;
        const order = orders.find(({ manifest }) => manifest.name === component);
        if (order === undefined) return [absent(object)];
        if (order.verdict.kind === "false") return [told(object, order.verdict.words)];
        return order.revision === source.revision ? [] : [behind(object, order.revision, source.revision)];
      }),
    ];
    if (findings.length === 0 && git?.silent !== undefined) return { unknown: `Git: ${git.silent}` };
    return findings;
  },
};

function absent(object: string): Finding {
  return { severity: "critical", object, message: "it is not there", fix: "castle up" };
}

function told(object: string, words: string): Finding {
  return { severity: "critical", object, message: `it is not Ready: ${words}`, fix: "castle doctor" };
}

function behind(object: string, has: string | undefined, wanted: string | undefined): Finding {
  return {
    severity: "warning",
    object,
    message: `it is at ${has ?? "nothing"}, wanted is ${wanted ?? "nothing"}`,
    fix: "castle reconcile",
  };
}

function own({ manifest }: FluxObject): boolean {
  return manifest.namespace === FLUX_NAMESPACE;
}
