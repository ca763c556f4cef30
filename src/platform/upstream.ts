import { labels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";

/** An upstream object under castle's labels; its own labels stay, its empty creation time goes. */
export function relabelled(upstream: Manifest, component: string, name: string): Manifest {
  const { creationTimestamp: _, ...metadata } = upstream.metadata;
  return {
    ...upstream,
    metadata: { ...metadata, labels: { ...metadata.labels, ...labels(component, name) } },
  };
}

/** A definition that is lost from Git by mistake must not take every object of its kind with it. */
export function keptOnRemoval(manifest: Manifest): Manifest {
  const annotations = { ...manifest.metadata.annotations, "kustomize.toolkit.fluxcd.io/prune": "disabled" };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}
