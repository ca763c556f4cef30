/** Something that is not as it should be. Not an error: whoever asks for health gets it as an answer, with exit code 3. */
export interface Finding {
  /** `critical`: the castle, or a part of it, does not serve. `warning`: it will not for long, or has no reserve. */
  readonly severity: "critical" | "warning";
  /** What it is about, for example a node's name or Deployment kube-system/coredns. */
  readonly object: string;
  readonly message: string;
  /** The next command, or the change to make. */
  readonly fix?: string;
}

/** What a check says: what it found (nothing: all is well), or why it could not look. */
export type Verdict = readonly Finding[] | { readonly unknown: string };
