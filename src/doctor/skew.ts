/** Milliseconds: more than the question itself can be wrong by, since a node tells its boot time in whole seconds. */
export const SKEWED = 3_000;
