/** Tags that move: whoever names one does not know what runs, and cannot go back to it. */
const MOVING =
  /^(?:latest|main|master|trunk|head|dev|develop|development|staging|stage|test|stable|edge|nightly|prod|production|current|release|v?\d+(?:\.\d+)?)$/i;

/** Whether a tag names something else tomorrow. Also the halves of a version: 1 and 1.27 move, 1.27.3 does not. */
export function isStaticTag(tag: string): boolean {
  return MOVING.test(tag);
}
