import type { Chart, Disease } from "../disease.ts";
import { fluxObjects } from "../manifests/flux-objects.ts";

/** What comes back after a rebuild is what the store holds: if that is not what runs, the castle does not come back the same. */
export const secretsOutOfStep: Disease = {
  id: "secrets-out-of-step",
  title: "The secret store holds something else than the castle uses",
  unknown: ({ store }) => store.silent,
  diagnose: (chart) => {
    const store = chart.examination?.store;
    if (store === undefined || store.silent !== undefined) return [];
    return [
      ...store.pairs
        .filter(({ kept, live }) => kept !== live)
        .map(({ name, object, kept, live }) => ({
          severity: "warning" as const,
          object,
          message: `it is not what ${store.description} holds as ${name}`,
          evidence: [
            `${store.description}: ${name} ${kept ?? "is not there"}`,
            `${object}: ${live ?? "is not there"}`,
          ],
          fix: name.startsWith("certificate-")
            ? "castle up keeps the newer certificate"
            : "castle up puts the store's into the cluster again",
          command: "castle up",
          symptoms: sufferers(chart, object),
        })),
      ...store.pending.map((name) => ({
        severity: "warning" as const,
        object: name,
        message: `${store.description} does not hold it yet: it did not answer when it was made`,
        evidence: [`waiting beside the spec, encrypted: ${name}`],
        fix: "write it once the store answers",
        command: "castle secrets sync",
      })),
    ];
  },
};

/** What Flux cannot build without it. */
function sufferers({ manifests }: Chart, object: string): readonly string[] {
  const name = object.replace("Secret ", "");
  return fluxObjects(manifests, "Kustomization")
    .filter(({ verdict }) => verdict.words.includes(name))
    .map((order) => order.object);
}
