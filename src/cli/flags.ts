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
  yes: {
    kind: "boolean",
    brief: "Do not ask; go on with what would be destroyed",
    default: false,
    withNegated: false,
  },
} as const;

export const dryRunFlag = {
  dryRun: {
    kind: "boolean",
    brief: "Say what would be done, and do nothing of it",
    default: false,
    withNegated: false,
  },
} as const;

export const installToolsFlag = {
  installTools: {
    kind: "boolean",
    brief: "Install the Debian packages that a build needs",
    default: false,
    withNegated: false,
  },
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
