import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";
import type { ObjectKind } from "./manifests/cluster-objects.ts";
import type { LooseDocument, Manifest } from "./manifests/manifest.ts";

/** What a doctor reads: objects, values that become objects, and what a castle around them told. */
export interface Chart {
  readonly manifests: readonly Manifest[];
  /** Helm values and the like. */
  readonly others: readonly LooseDocument[];
  /** When a cluster told its objects; undefined: they lie in files, and nobody was asked. */
  readonly at?: Date;
  /** Kinds that the cluster did not tell, with its reason. */
  readonly unread?: ReadonlyMap<ObjectKind, string>;
  /** The castle whose cluster this is. */
  readonly examination?: Examination;
}

/** A finding with its cause proved: what was read, word by word. */
export interface Diagnosis extends Finding {
  /** The disease's id. */
  readonly disease: string;
  readonly evidence: readonly string[];
  /** The command that mends it, or that leads to the place where it is mended. */
  readonly command?: string;
  /** Objects that suffer from it: what is wrong with them is told by this. */
  readonly symptoms?: readonly string[];
}

/** What a disease itself says; whose diagnosis it is, is known. */
export type Sought = Omit<Diagnosis, "disease">;

export interface Disease {
  /** Stable, for scripts. */
  readonly id: string;
  readonly title: string;
  /** Kinds of a cluster without which nothing can be said. */
  readonly reads?: readonly ObjectKind[];
  /** Why nothing can be said, where it needs more of a castle than its cluster's objects. */
  readonly unknown?: (examination: Examination) => string | undefined;
  readonly diagnose: (chart: Chart) => readonly Sought[];
}
