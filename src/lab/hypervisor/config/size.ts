const UNITS: readonly (readonly [string, number])[] = [
  ["T", 1024 ** 4],
  ["G", 1024 ** 3],
  ["M", 1024 ** 2],
  ["K", 1024],
];

export const GIBIBYTE = 1024 ** 3;

/** Bytes as Proxmox writes a disk's size: the largest unit that gives a whole number, for example 20G. */
export function formatSize(bytes: number): string {
  const unit = UNITS.find(([, factor]) => bytes >= factor && bytes % factor === 0);
  return unit === undefined ? String(bytes) : `${bytes / unit[1]}${unit[0]}`;
}

/** Bytes of a size such as 20G, 1280M or 21474836480; undefined where it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(text);
  if (match === null) return undefined;
  const factor = UNITS.find(([name]) => name === match[2])?.[1] ?? 1;
  return Math.round(Number(match[1]) * factor);
}
