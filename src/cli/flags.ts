/** A flag that is off unless told. */
export function off(brief: string) {
  return { kind: "boolean", brief, default: false, withNegated: false } as const;
}

/** Flags that mean the same in every command. */
export const fileFlag = {
  file: {
    kind: "parsed",
    parse: String,
    brief: "The castle's spec",
    placeholder: "FILE",
    default: "castle.yaml",
  },
} as const;

export type OutputFormat = "text" | "json";

export const outputFlag = {
  output: {
    kind: "enum",
    values: ["text", "json"],
    brief: "Text for people, or one JSON document on standard output",
    default: "text",
  },
} as const;

export const yesFlag = {
  yes: off("Do not ask; go on with what would be destroyed"),
} as const;

export const dryRunFlag = {
  dryRun: off("Say what would be done, and do nothing of it"),
} as const;

export const installToolsFlag = {
  installTools: off("Install the Debian packages that a build needs"),
} as const;

/** @throws Error for the command line to show */
export function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`${text} is not a whole number`);
}

export const timeoutFlag = {
  timeout: {
    kind: "parsed",
    parse: wholeSeconds,
    brief: "How long one wait may take, such as a node's boot; Kubernetes gets twice that",
    placeholder: "SECONDS",
    default: "300",
  },
} as const;

function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  throw new SyntaxError(`${text} is no whole number of seconds above 0`);
}

/** Of an operation that changes which nodes a castle has, or where. */
export const moveFlags = {
  ...fileFlag,
  ...outputFlag,
  ...yesFlag,
  ...dryRunFlag,
  ...installToolsFlag,
  ...timeoutFlag,
} as const;

/** Which of a file's sites is meant. */
export const sitePositional = {
  brief: "The site's name; needed where the file has several",
  placeholder: "SITE",
  parse: String,
  optional: true,
} as const;

export const aliases = { f: "file", o: "output" } as const;
export const aliasesWithYes = { f: "file", o: "output", y: "yes" } as const;

export interface FileFlags {
  readonly file: string;
}

export interface OutputFlags {
  readonly output: OutputFormat;
}

export interface YesFlags {
  readonly yes: boolean;
}
