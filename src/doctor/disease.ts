import type { Finding } from "./finding.ts";
import type { LooseDocument, Manifest } from "./manifests/manifest.ts";

/** What a doctor reads without asking anybody: objects, and values that become objects. */
export interface Chart {
  readonly manifests: readonly Manifest[];
  /** Helm values and the like. */
  readonly others: readonly LooseDocument[];
}

/** A finding with its cause proved: what was read, word by word. */
export interface Diagnosis extends Finding {
  /** The disease's id. */
  readonly disease: string;
  readonly evidence: readonly string[];
}

export interface Disease {
  /** Stable, for scripts. */
  readonly id: string;
  readonly title: string;
  readonly diagnose: (chart: Chart) => readonly Omit<Diagnosis, "disease">[];
}
