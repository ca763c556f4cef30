import type { Castle } from "../spec/castle.ts";
import { componentNames } from "./components.ts";
import { overridesFolder } from "./synchronisation.ts";

/**
 * The files that are the user's from the moment they exist: written where absent, never again.
 * @returns path in the repository → text; nothing without gitops
 */
export function renderOverrides(castle: Castle): ReadonlyMap<string, string> {
  const { gitops } = castle;
  if (gitops === undefined) return new Map();
  return new Map(
    componentNames(castle).map((name) => [
      `${overridesFolder(gitops)}/${name}/kustomization.yaml`,
      scaffold(name),
    ]),
  );
}

// The empty list stays: kustomize refuses a file that says nothing.
function scaffold(component: string): string {
  return `# Yours: castle wrote this file once and does not touch it again. Patches here change what castle generates
# for ${component}; more resources may be listed as well. For example:
#
#   patches:
#     - target: { kind: Deployment, name: NAME }
#       patch: |
#         - { op: replace, path: /spec/replicas, value: 3 }
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches: []
`;
}
