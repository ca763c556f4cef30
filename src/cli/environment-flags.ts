/** CASTLE_FILE and the like stand for flags that the command line does not give. */
const FLAGS = [
  { flag: "--file", alias: "-f", variable: "CASTLE_FILE" },
  { flag: "--output", alias: "-o", variable: "CASTLE_OUTPUT" },
] as const;

const SPECLESS = new Set(["init", "parts", "help", "--help", "-h", "--version", "-v"]);

/**
 * Adds flags from the environment where the command line has none; what stands after `--` is left alone.
 * `CASTLE_FILE=x castle status` is `castle status -f x`.
 */
export function withEnvironmentFlags(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const verb = argv[0];
  if (verb === undefined || SPECLESS.has(verb) || argv.includes("--help")) return [...argv];
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end);
  const added = FLAGS.flatMap(({ flag, alias, variable }) => {
    const value = env[variable];
    const given = own.some((word) => word === flag || word === alias || word.startsWith(`${flag}=`));
    return value === undefined || value === "" || given ? [] : [flag, value];
  });
  return [...own, ...added, ...rest];
}
