import type { Command } from "@stricli/core";
import { type Target, isRouteMap } from "./command-table.ts";
import type { Context } from "./context.ts";

interface OwnFlag {
  /** --install-tools */
  readonly flag: string;
  readonly alias: string | undefined;
  readonly variable: string;
  readonly boolean: boolean;
}

/**
 * Adds flags from the environment where the command line has none: `CASTLE_FILE=x castle status` is
 * `castle status --file x`, `CASTLE_YES=1 castle down` is `castle down --yes`. Every flag of every command has its
 * variable, because both come from the command table. What stands after `--` is left alone.
 */
export function withEnvironmentFlags(
  root: Target,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end);
  const command = commandOf(root, own);
  if (command === undefined || own.some((word) => HELP.has(word))) return [...argv];
  const added = ownFlags(command).flatMap((flag) => {
    const value = env[flag.variable];
    if (value === undefined || value === "" || isGiven(flag, own)) return [];
    return flag.boolean ? booleanWords(flag, value) : [`${flag.flag}=${value}`];
  });
  return [...own, ...added, ...rest];
}

const HELP = new Set(["--help", "-h", "--help-all", "--helpAll"]);

/** The flags of a command as people write them. */
export function ownFlags(command: Command<Context>): readonly OwnFlag[] {
  const { flags = {}, aliases = {} } = command.parameters as {
    readonly flags?: Readonly<Record<string, { readonly kind: string }>>;
    readonly aliases?: Readonly<Record<string, string>>;
  };
  return Object.entries(flags).map(([name, { kind }]) => {
    const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return {
      flag: `--${words}`,
      alias: Object.entries(aliases).find(([, long]) => long === name)?.[0],
      variable: `CASTLE_${words.replaceAll("-", "_").toUpperCase()}`,
      boolean: kind === "boolean",
    };
  });
}

/** The command that the words lead to; undefined where they end at a route map or nowhere. */
function commandOf(root: Target, words: readonly string[]): Command<Context> | undefined {
  let target: Target = root;
  for (const word of words) {
    if (!isRouteMap(target)) return target;
    const next: Target | undefined = target.getRoutingTargetForInput(word);
    if (next === undefined) return word.startsWith("-") ? target.getDefaultCommand() : undefined;
    target = next;
  }
  return isRouteMap(target) ? target.getDefaultCommand() : target;
}

function isGiven({ flag, alias }: OwnFlag, words: readonly string[]): boolean {
  return words.some(
    (word) =>
      word === flag ||
      word.startsWith(`${flag}=`) ||
      (alias !== undefined && /^-[a-z]+(=|$)/i.test(word) && word.split("=", 1)[0]?.includes(alias) === true),
  );
}

/** What is neither yes nor no is passed on, for the command line to refuse. */
function booleanWords({ flag }: OwnFlag, value: string): readonly string[] {
  if (/^(1|true|yes)$/i.test(value)) return [flag];
  if (/^(0|false|no)$/i.test(value)) return [];
  return [`${flag}=${value}`];
}
