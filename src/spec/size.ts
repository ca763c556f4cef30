const MIB: Readonly<Record<string, number>> = { MiB: 1, GiB: 1024, TiB: 1024 * 1024 };

export const sizePattern = /^[1-9][0-9]{0,6}(?:MiB|GiB|TiB)$/;

/** MiB; undefined when the text is not a whole number with the unit MiB, GiB or TiB. */
export function parseSize(text: string): number | undefined {
  if (!sizePattern.test(text)) return undefined;
  const factor = MIB[text.slice(-3)];
  return factor === undefined ? undefined : Number(text.slice(0, -3)) * factor;
}

/** The largest unit that keeps the number whole. */
export function formatSize(mebibytes: number): string {
  if (mebibytes % (1024 * 1024) === 0) return `${mebibytes / (1024 * 1024)}TiB`;
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}GiB` : `${mebibytes}MiB`;
}

/** "4GB", "4 GiB", "4g" or 4096 written the way that castle reads it; undefined when nobody can tell. */
export function likelySize(value: unknown): string | undefined {
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value <= 0) return undefined;
    return value >= 512 ? `${value}MiB` : `${value}GiB`;
  }
  const match = typeof value === "string" ? /^([1-9][0-9]*) ?([mgt])(?:i?b)?$/i.exec(value.trim()) : null;
  const unit = match?.[2]?.toUpperCase();
  return match?.[1] === undefined || unit === undefined ? undefined : `${match[1]}${unit}iB`;
}
