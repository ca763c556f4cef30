/** What castle was built and measured with; the defaults of a spec. */
export const DEFAULT_TALOS = "v1.11.5";
export const DEFAULT_KUBERNETES = "v1.34.4";

export const versionPattern = /^v[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?:-[0-9A-Za-z.]+)?$/;

interface KubernetesSpan {
  /** Minor versions of Kubernetes 1, both included. */
  readonly oldest: number;
  readonly newest: number;
}

/**
 * Talos 1.x → the Kubernetes versions that it runs.
 * Source: Talos' own table, github.com/siderolabs/talos/pkg/machinery v1.11.5, package compatibility
 * (MinimumKubernetesVersion and MaximumKubernetesVersion of each talosNNN package); it is what
 * `talosctl upgrade-k8s` checks against, and the same as the support matrix of the documentation.
 */
export const kubernetesOfTalos: ReadonlyMap<number, KubernetesSpan> = new Map([
  [9, { oldest: 27, newest: 32 }],
  [10, { oldest: 28, newest: 33 }],
  [11, { oldest: 29, newest: 34 }],
  [12, { oldest: 30, newest: 35 }],
]);

/** Major and minor of v1.34.4; undefined when the text is not a version. */
export function majorMinor(version: string): { readonly major: number; readonly minor: number } | undefined {
  if (!versionPattern.test(version)) return undefined;
  const [major, minor] = version.slice(1).split(".").map(Number);
  return major === undefined || minor === undefined ? undefined : { major, minor };
}
