/** What stands in a place that all operators of a castle reach. */
export interface Held {
  readonly text: string;
  /** Names exactly this state; whoever takes over says which one they have seen. */
  readonly version: string;
}

/**
 * Such a place, changed by compare-and-swap alone: of two who change the same state, one succeeds.
 */
export interface Carrier {
  /** For people: the ref or the hypervisor. */
  readonly description: string;
  /** Undefined: nobody holds it. */
  read(): Promise<Held | undefined>;
  /**
   * Puts the text in the place of what was seen; undefined: of nothing.
   * @returns the new state's version; undefined: somebody else was faster
   */
  take(text: string, seen: Held | undefined): Promise<string | undefined>;
  /** Puts another text in the place of one's own. @returns as `take`; undefined: it is no more one's own */
  renew(text: string, own: Held): Promise<string | undefined>;
  /** What is another's by now stays. */
  release(own: Held): Promise<void>;
  close(): Promise<void>;
}
