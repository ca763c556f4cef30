import type { Manifest } from "./manifest.ts";

/** What one folder of the GitOps repository holds, and what has to be Ready before Flux applies it. */
export interface Component {
  /** The folder, the Flux Kustomization and the folder of the user's overrides. */
  readonly name: ComponentName;
  readonly dependsOn: readonly ComponentName[];
  /** File name → its objects, in the order in which a reader meets them. */
  readonly files: Readonly<Record<string, readonly Manifest[]>>;
}

export type ComponentName =
  | "flux-system"
  | "metallb"
  | "metallb-pool"
  | "traefik-crds"
  | "traefik"
  | "certificates"
  | "sites"
  | "monitoring";
