/** Seconds from which content-made times count, and how many there are: 2001 to 2018. */
export const FIRST_TIME = 1_000_000_000;
export const TIME_SPAN = 2 ** 29;

/**
 * A time made from the content. nginx makes its ETag from time and size: with one time for all files an edit that keeps
 * the size would be answered "not modified".
 * @param sha256 hex
 * @returns seconds since 1970
 */
export function contentTime(sha256: string): number {
  return FIRST_TIME + (Number.parseInt(sha256.slice(0, 8), 16) % TIME_SPAN);
}
