/** A text that lies inside another, for example Helm values in a Terraform file. */
export interface Enclosed {
  readonly text: string;
  /** Of its first line in the file, from 1. */
  readonly line: number;
}

const OPENING = /<<[-~]?\s*"?([A-Za-z_][A-Za-z0-9_]*)"?\s*$/;

/** The heredocs of a Terraform file or a shell script, indentation taken away. */
export function heredocs(content: string): readonly Enclosed[] {
  const lines = content.split("\n");
  const found: Enclosed[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const mark = OPENING.exec(lines[index] ?? "")?.[1];
    if (mark === undefined) continue;
    const end = lines.findIndex((line, at) => at > index && line.trim() === mark);
    if (end < 0) continue;
    found.push({ text: unindented(lines.slice(index + 1, end)), line: index + 2 });
    index = end;
  }
  return found;
}

function unindented(lines: readonly string[]): string {
  const depths = lines
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const depth = Math.min(...depths, Number.MAX_SAFE_INTEGER);
  return lines.map((line) => line.slice(depth)).join("\n");
}
