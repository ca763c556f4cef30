import type { HeldCertificate } from "./examination.ts";

const DAY = 24 * 3_600_000;
/** Milliseconds before the end at which a certificate is told. */
const SOON = 14 * DAY;
/** Of a short-lived one: this part of its life. Who renews at all does so before. */
const PART = 0.2;

/** What to say of how long a certificate lasts; undefined: long enough. */
export function endsSoon({ from, until }: Omit<HeldCertificate, "object">, at: Date): string | undefined {
  const left = until.getTime() - at.getTime();
  const life = from === undefined ? Number.POSITIVE_INFINITY : until.getTime() - from.getTime();
  if (left > Math.min(SOON, life * PART)) return undefined;
  if (left <= 0) return `it ended on ${until.toISOString()}`;
  return left < DAY
    ? `it ends in ${Math.floor(left / 3_600_000)} hours`
    : `it ends in ${Math.floor(left / DAY)} days`;
}
