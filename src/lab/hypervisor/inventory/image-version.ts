/**
 * Talos version in the name or URL of an image: `…/v1.11.5/nocloud-amd64.raw.gz` and `talos-1.11.5.raw` give
 * v1.11.5. Undefined where none is named.
 */
export function imageVersion(...texts: readonly string[]): string | undefined {
  for (const text of texts) {
    const match = /(?<![\d.])v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?)(?!\.?\d)/.exec(text);
    if (match?.[1] !== undefined) return `v${match[1]}`;
  }
  return undefined;
}
