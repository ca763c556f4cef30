/** The regular files of a tar archive as castle writes them: names that fit into their field, nothing else. */
export function tarFiles(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  let at = 0;
  while (at + BLOCK <= archive.byteLength && archive[at] !== 0) {
    const name = archive.toString("utf8", at, at + NAME).replace(/\0.*$/s, "");
    const size = Number.parseInt(archive.toString("latin1", at + SIZE.from, at + SIZE.to), 8);
    const from = at + BLOCK;
    if (!(size >= 0) || from + size > archive.byteLength) throw new RangeError(`${name} is cut short`);
    files.set(name, archive.subarray(from, from + size));
    at = from + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

const BLOCK = 512;
const NAME = 100;
const SIZE = { from: 124, to: 135 } as const;
