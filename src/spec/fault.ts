/** One thing that is wrong in a spec, at its place. */
export interface Fault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** For example nodes.workers.from or sites[0].image; empty for the document itself. */
  readonly path: string;
  /** What is wrong and what was expected; one sentence without a full stop. */
  readonly message: string;
  /** What would be right. */
  readonly hint?: string;
}

export type Path = readonly (string | number)[];

export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** A password that somebody wrote into an address stays out of messages and quoted lines. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^\s/@]+:[^\s/@]*@/g, "://***@");
}
