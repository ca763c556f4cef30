/** What `git cat-file --batch` says: a line "ID TYPE SIZE", the content, a line feed; or "ID missing". */
export function parseContents(output: Buffer): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0x0a, at);
    const [id = "", , size] = output.toString("utf8", at, end).split(" ");
    at = end + 1;
    if (size === undefined) continue;
    found.set(id, output.subarray(at, at + Number(size)));
    at += Number(size) + 1;
  }
  return found;
}
