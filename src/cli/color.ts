export type ColorChoice = "auto" | "never";

const FLAG = "--no-color";

/**
 * Takes `--no-color`, which every command knows, off the command line. NO_COLOR (not empty) and CASTLE_NO_COLOR say
 * the same, TERM=dumb too. What stands after `--` belongs to another program.
 */
export function chooseColor(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { readonly argv: readonly string[]; readonly color: ColorChoice } {
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end);
  const never =
    own.includes(FLAG) ||
    isSet(env["NO_COLOR"]) ||
    /^(1|true|yes)$/i.test(env["CASTLE_NO_COLOR"] ?? "") ||
    env["TERM"] === "dumb";
  return { argv: [...own.filter((word) => word !== FLAG), ...rest], color: never ? "never" : "auto" };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
