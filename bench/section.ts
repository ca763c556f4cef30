import type { PartsStore } from "../src/lab/parts/store.ts";

/** What every section of the bench works with. */
export interface Bench {
  /** castle's own folder, with bin/ and bench/ in it. */
  readonly installation: string;
  readonly store: PartsStore;
  /** A folder of the section's own; removed when it has ended. */
  readonly folder: string;
  /** How often each thing is measured. */
  readonly runs: number;
  readonly signal: AbortSignal;
  /** A line for whoever waits. */
  readonly tell: (line: string) => void;
}

/** One thing that was measured, each time that it was. */
export interface Measurement {
  readonly what: string;
  readonly unit: "s" | "ms" | "GiB" | "%";
  readonly values: readonly number[];
  /** The same by hand, where the scripts do it. */
  readonly byHand?: readonly number[];
  /** What was asked for, for people. */
  readonly wanted?: string;
}

/** One question that the bench answers; its cleanup is its own, also where it fails or is interrupted. */
export interface Section {
  readonly name: string;
  readonly title: string;
  measure(bench: Bench): Promise<readonly Measurement[]>;
}
