import type { CommandContext } from "@stricli/core";

/** All that castle takes from its surroundings: nothing below src/cli reads environment, argv, streams or clock. */
export interface Context extends CommandContext {
  readonly process: CastleProcess;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard error is a terminal: live progress may be drawn. */
  readonly interactive: boolean;
  /** Colours may be used on standard error. */
  readonly color: boolean;
  /** Aborted by the first SIGINT or SIGTERM; the second one ends the process at once. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Absolute path of bin/castle.js, for the lab's own processes. */
  readonly executable: string;
  /** Absolute path of the node that runs castle. */
  readonly node: string;
  readonly uid: number;
}

export interface CastleProcess {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env?: Readonly<Record<string, string>>;
  exitCode?: number | string | null;
  readonly pid: number;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}
