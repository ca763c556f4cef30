/** Milliseconds: more than the question itself can be wrong by, since a node tells its boot time in whole seconds. */
const SKEWED = 3_000;

/** What to say of a clock that is so many milliseconds ahead; undefined: it is right, or nobody told. */
export function skewText(skew: number | undefined): string | undefined {
  if (skew === undefined || Math.abs(skew) <= SKEWED) return undefined;
  return `its clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? "ahead of" : "behind"} this machine's`;
}
