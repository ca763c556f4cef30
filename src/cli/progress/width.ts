/** A colour or one visible character. */
// oxlint-disable-next-line no-control-regex -- a terminal's language
const PIECES = /(\u001B\[[0-9;]*m)|(.)/gsu;

/** Columns of wide scripts and pictures; all that castle itself prints is one column wide. */
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const NOTHING = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** How many columns of a terminal the text takes; colours take none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const [, colour, character] of text.matchAll(PIECES)) {
    if (colour === undefined && character !== undefined) columns += widthOf(character);
  }
  return columns;
}

/** Cuts a line that would wrap, because a wrapped line is two lines to take away. Colours stay whole. */
export function cutToWidth(line: string, width: number): string {
  if (columnsOf(line) <= width) return line;
  let kept = "";
  let columns = 0;
  let full = false;
  for (const [, colour, character = ""] of line.matchAll(PIECES)) {
    // Colours behind the cut are kept: they end those before it.
    if (colour !== undefined) kept += colour;
    else if (!full && columns + widthOf(character) < width) {
      kept += character;
      columns += widthOf(character);
    } else if (!full) {
      kept += "…";
      full = true;
    }
  }
  return kept;
}

function widthOf(character: string): number {
  if (NOTHING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
