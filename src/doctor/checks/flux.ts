import { componentNames } from "../../platform/components.ts";
import { FLUX_NAMESPACE } from "../../platform/flux-controller.ts";
import type { Check } from "../check.ts";
import type { Finding } from "../finding.ts";
import { type FluxObject, fluxObjects } from "../manifests/flux-objects.ts";
import type { Manifest } from "../manifests/manifest.ts";

export const flux: Check = {
  id: "flux",
  title: "Flux has fetched what Git holds and applied all of it",
  judge: ({ castle, objects, git }) => {
    if (castle.gitops === undefined) return [];
    if (objects.silent !== undefined) return { unknown: objects.silent };
    const unread = objects.unread.get("GitRepository") ?? objects.unread.get("Kustomization");
    if (unread !== undefined) return { unknown: unread };
    const wanted = git === undefined || git.silent !== undefined ? undefined : git.revision;
    const sources = byName(objects.objects, "GitRepository");
    const orders = byName(objects.objects, "Kustomization");
    const names = componentNames(castle);
    const fetched = names.flatMap((name) => sources.get(name)?.revision ?? []);
    const findings = [
      ...oncePerMessage(
        names.flatMap((name) =>
          ofSource(`GitRepository ${FLUX_NAMESPACE}/${name}`, sources.get(name), { wanted, fetched }),
        ),
      ),
      ...names.flatMap((name) =>
        ofOrder(`Kustomization ${FLUX_NAMESPACE}/${name}`, orders.get(name), sources.get(name)),
      ),
    ];
    if (findings.length === 0 && git?.silent !== undefined) return { unknown: `Git: ${git.silent}` };
    return findings;
  },
};

/** All of them follow one repository: what keeps it from being fetched is one finding. */
function oncePerMessage(findings: readonly Finding[]): readonly Finding[] {
  const messages = [...new Set(findings.map(({ message }) => message))];
  return messages.flatMap((message) => {
    const [first, ...more] = findings.filter((one) => one.message === message);
    if (first === undefined) return [];
    return [more.length === 0 ? first : { ...first, message: `${message} (and ${more.length} more)` }];
  });
}

interface Git {
  /** The branch's tip, as a revision of Flux; undefined: nobody can tell. */
  readonly wanted: string | undefined;
  /** What the sources have. */
  readonly fetched: readonly string[];
}

function ofSource(
  object: string,
  source: FluxObject | undefined,
  { wanted, fetched }: Git,
): readonly Finding[] {
  if (source === undefined) return [absent(object)];
  const { verdict, revision, suspended } = source;
  if (verdict.kind === "false") return [told(object, verdict.words)];
  // Another has it already: a release makes one fetch at once, and the others do it at their next look.
  const isDue = !suspended && wanted !== undefined && fetched.includes(wanted);
  return wanted === undefined || revision === wanted || isDue ? [] : [behind(object, revision, wanted)];
}

function ofOrder(
  object: string,
  order: FluxObject | undefined,
  source: FluxObject | undefined,
): readonly Finding[] {
  if (order === undefined) return [absent(object)];
  if (order.verdict.kind === "false") return [told(object, order.verdict.words)];
  return order.revision === source?.revision ? [] : [behind(object, order.revision, source?.revision)];
}

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

function byName(
  manifests: readonly Manifest[],
  kind: "GitRepository" | "Kustomization",
): ReadonlyMap<string, FluxObject> {
  const own = fluxObjects(manifests, kind).filter(({ manifest }) => manifest.namespace === FLUX_NAMESPACE);
  return new Map(own.map((one) => [one.manifest.name, one]));
}
