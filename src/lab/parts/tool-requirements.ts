import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";
import { goRequirement, wantedGo } from "./go-version.ts";
import type { Part } from "./part.ts";

/** A program, or a file of a development package, that has to be on this machine. */
export interface ToolRequirement {
  readonly name: string;
  /** Debian's package; undefined where Debian's is too old. */
  readonly package: string | undefined;
  /** A shell command that prints something if it is there; `command -v NAME` unless told. */
  readonly test?: string;
  /** A shell command that prints what is there instead, such as another version. */
  readonly instead?: string;
  /** What to do where Debian has no package of it. */
  readonly hint?: string;
}

const tool = (name: string, fromPackage: string | undefined = name): ToolRequirement => ({
  name,
  package: fromPackage,
});

/** What is not there, and what is in its place. */
interface MissingTool extends ToolRequirement {
  readonly found: string;
}

const gcc: ToolRequirement = tool("gcc");
const libc: ToolRequirement = {
  name: "libc6-dev",
  package: "libc6-dev",
  test: "ls /usr/lib/*/libc.a /usr/lib64/libc.a",
};
const seccomp: readonly ToolRequirement[] = [
  tool("pkg-config"),
  {
    name: "libseccomp-dev",
    package: "libseccomp-dev",
    test: "ls /usr/lib/*/libseccomp.a /usr/lib64/libseccomp.a",
  },
];
const debian = [tool("apt-get", "apt"), tool("dpkg-deb", "dpkg"), tool("tar"), tool("find", "findutils")];

/** What a lab calls while it runs; runc and all else are parts. */
export const labTools: readonly ToolRequirement[] = [
  tool("ip", "iproute2"),
  tool("nsenter", "util-linux"),
  tool("unshare", "util-linux"),
  tool("setpriv", "util-linux"),
  tool("mount"),
  tool("umount", "mount"),
  tool("openssl"),
  tool("sed"),
];

const fromDebian: ReadonlySet<string> = new Set([
  "node-rootfs",
  "image-base",
  "ca-certificates",
  "nginx-base",
]);

/** What making these parts needs, without doubles. `modules` is the folder `parts/` with the pinned modules. */
export async function buildTools(
  parts: readonly Part[],
  modules: string,
): Promise<readonly ToolRequirement[]> {
  const tools = new Map<string, ToolRequirement>();
  const need = (...wanted: readonly ToolRequirement[]) => {
    for (const one of wanted) tools.set(one.name, one);
  };
  const groups = new Set(parts.flatMap(({ source }) => ("group" in source ? [source.group] : [])));
  if (groups.size > 0) need(goRequirement(await wantedGo(modules, groups)));
  for (const { source } of parts) {
    if (source.kind === "c") need(gcc, libc);
    if (fromDebian.has(source.kind)) need(...debian);
    if (source.kind !== "go" || source.cgo !== true) continue;
    need(gcc, libc);
    if (source.tags?.includes("seccomp") === true) need(...seccomp);
  }
  return [...tools.values()];
}

/** One shell for all of them: `up` looks every time. */
async function missingTools(tools: readonly ToolRequirement[]): Promise<readonly MissingTool[]> {
  // `ls` of two patterns fails if either is absent; one that answers is enough.
  const script = tools
    .map(({ name, test, instead }, index) => {
      const look =
        test === undefined ? `command -v ${name} >/dev/null 2>&1` : `test -n "$(${test} 2>/dev/null)"`;
      return `${look} || echo "${index} $(${instead ?? ":"} 2>/dev/null)"`;
    })
    .join("\n");
  const { stdout } = await run("sh", ["-c", `${script}\ntrue`]);
  return stdout.split("\n").flatMap((line) => {
    const [index = "", ...found] = line.split(" ");
    const missing = index === "" ? undefined : tools[Number(index)];
    return missing === undefined ? [] : [{ ...missing, found: found.join(" ").trim() }];
  });
}

function packagesOf(tools: readonly ToolRequirement[]): readonly string[] {
  return [...new Set(tools.flatMap((one) => one.package ?? []))];
}

/**
 * Checks all tools at once, and installs Debian's packages of the missing ones where that is asked for.
 * @throws CastleError parts/tools-missing that names every one
 */
export async function requireTools(tools: readonly ToolRequirement[], install: boolean): Promise<void> {
  let missing = await missingTools(tools);
  const packages = packagesOf(missing);
  if (install && packages.length > 0 && (await missingTools([tool("apt-get")])).length === 0) {
    await installPackages(packages);
    missing = await missingTools(tools);
  }
  if (missing.length === 0) return;
  const installable = packagesOf(missing);
  const hints = [
    ...(installable.length === 0
      ? []
      : [`apt-get install ${installable.join(" ")}, or pass --install-tools`]),
    ...missing.flatMap(({ hint }) => hint ?? []),
  ];
  const named = missing.map(({ name, found }) => (found === "" ? name : `${name} (here is ${found})`));
  throw new CastleError("parts/tools-missing", {
    message: `not installed here, and needed: ${named.join(", ")}`,
    hint: hints.join("; "),
    details: { missing: missing.map((one) => one.name), packages: installable },
  });
}

async function installPackages(packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const args = ["install", "-y", "-q", "--no-install-recommends", ...packages];
  const first = await run("apt-get", args, { env, timeout: 600_000, accept: [100] });
  if (first.exitCode === 0) return;
  // A fresh machine has no package lists yet.
  await run("apt-get", ["update", "-q"], { env, timeout: 300_000 });
  await run("apt-get", args, { env, timeout: 600_000 });
}
