import { componentNames } from "../../platform/components.ts";
import { FLUX_NAMESPACE } from "../../platform/flux-controller.ts";
import type { Chart, Disease, Sought } from "../disease.ts";
import { type FluxObject, fluxObjects } from "../manifests/flux-objects.ts";
import { kubectl } from "../remedy.ts";

/** Milliseconds after which an object that its controller has never looked at is forgotten, not new. */
const YOUNG = 60_000;

/** kustomize-controller's words where it has nothing to build from. */
const NO_SOURCE = /source is not ready|artifact not found|source .* not found/i;

export const flux: Disease = {
  id: "flux",
  title: "Flux does not follow Git: suspended, stalled, on another branch, or never begun",
  reads: ["GitRepository", "Kustomization"],
  diagnose: (chart) => {
    const sources = fluxObjects(chart.manifests, "GitRepository");
    const sick = new Map(
      sources.map((source) => [
        `${source.manifest.namespace}/${source.manifest.name}`,
        ofSource(chart, source),
      ]),
    );
    const orders = fluxObjects(chart.manifests, "Kustomization").flatMap((order) => {
      const source = sick.get(order.source ?? "");
      return isExplained(chart, order, source) ? [] : (judge(chart, order) ?? []);
    });
    return [...oneCause(sources, sick), ...orders];
  },
};

/** Sources that cannot fetch for the same reason follow one repository: the first tells of it, the others suffer from it. */
function oneCause(
  sources: readonly FluxObject[],
  sick: ReadonlyMap<string, Sought | undefined>,
): readonly Sought[] {
  const told = new Map<string, Sought>();
  for (const { object, manifest, verdict, suspended } of sources) {
    const found = sick.get(`${manifest.namespace}/${manifest.name}`);
    if (found === undefined) continue;
    const cause = verdict.kind === "false" && !suspended ? `${manifest.namespace} ${found.message}` : object;
    const first = told.get(cause);
    told.set(
      cause,
      first === undefined
        ? found
        : {
            ...first,
            evidence: [...first.evidence, `${object}: the same`],
            symptoms: [...(first.symptoms ?? []), object],
          },
    );
  }
  return [...told.values()];
}

/** What is wrong with its source, or with a Secret that the store knows better, is told of that. */
function isExplained({ examination }: Chart, order: FluxObject, source: Sought | undefined): boolean {
  if (order.suspended || order.verdict.kind !== "false") return false;
  const { words } = order.verdict;
  if (source !== undefined && NO_SOURCE.test(words)) return true;
  const store = examination?.store;
  if (store === undefined || store.silent !== undefined) return false;
  return store.pairs.some(
    ({ object, kept, live }) => kept !== live && words.includes(object.replace("Secret ", "")),
  );
}

function ofSource(chart: Chart, source: FluxObject): Sought | undefined {
  const wanted = chart.examination?.castle.gitops?.branch;
  const { branch, object, manifest, revision } = source;
  if (wanted !== undefined && branch !== undefined && branch !== wanted && isCastles(chart, source)) {
    return {
      severity: "critical",
      object,
      message: `it follows branch ${branch}, the spec says ${wanted}`,
      evidence: [
        `${object}: spec.ref.branch ${branch}, fetched ${revision ?? "nothing"}`,
        `castle.yaml: gitops.branch ${wanted}`,
      ],
      fix: `let it follow ${wanted}`,
      command: kubectl(
        chart,
        `-n ${manifest.namespace} patch gitrepository ${manifest.name} --type=merge -p '{"spec":{"ref":{"branch":"${wanted}"}}}'`,
      ),
    };
  }
  return judge(chart, source);
}

/** Others may follow other repositories. */
function isCastles({ examination }: Chart, { manifest }: FluxObject): boolean {
  if (examination === undefined || manifest.namespace !== FLUX_NAMESPACE) return false;
  return componentNames(examination.castle).some((name) => name === manifest.name);
}

function judge(chart: Chart, flux: FluxObject): Sought | undefined {
  const { object, suspended, seen, created, verdict, revision, manifest } = flux;
  const kind = manifest.kind.toLowerCase();
  if (suspended) {
    return {
      severity: "warning",
      object,
      message: "it is suspended: nothing that is pushed arrives",
      evidence: [`${object}: spec.suspend true, last revision ${revision ?? "none"}`],
      fix: "let it go on",
      command: kubectl(
        chart,
        `-n ${manifest.namespace} patch ${kind} ${manifest.name} --type=merge -p '{"spec":{"suspend":false}}'`,
      ),
    };
  }
  if (chart.at === undefined) return undefined;
  if (!seen) {
    const age = chart.at.getTime() - (created?.getTime() ?? chart.at.getTime());
    if (age < YOUNG) return undefined;
    return {
      severity: "critical",
      object,
      message: `Flux has never looked at it in ${Math.round(age / 60_000)} minutes`,
      evidence: [`${object}: made ${created?.toISOString() ?? "some time ago"}, no status`],
      fix: "its controller does not run, or does not watch this namespace",
      command: kubectl(chart, "-n flux-system get pods"),
    };
  }
  if (verdict.kind !== "false") return undefined;
  return {
    severity: "critical",
    object,
    message: `${verdict.final ? "it is stalled" : "it is not Ready"}: ${verdict.words}`,
    evidence: [`${object}: ${verdict.words}`, `last revision ${revision ?? "none"}`],
    fix: verdict.final
      ? "Flux does not try again by itself: change what it was given"
      : "Flux tries again by itself once the cause is gone",
    command: kubectl(chart, `-n ${manifest.namespace} describe ${kind} ${manifest.name}`),
  };
}
