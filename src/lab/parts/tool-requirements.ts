import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";
import type { Part } from "./part.ts";

/** A program, or a file of a development package, that has to be on this machine. */
export interface ToolRequirement {
  readonly name: string;
  /** Debian's package; undefined where Debian's is too old. */
  readonly package: string | undefined;
  /** A shell test that succeeds if it is there; `command -v NAME` unless told. */
  readonly test?: string;
}

const tool = (name: string, fromPackage: string | undefined = name): ToolRequirement => ({
  name,
  package: fromPackage,
});

const go: ToolRequirement = { name: "go", package: undefined };
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

/** What making these parts needs, without doubles. */
export function buildTools(parts: readonly Part[]): readonly ToolRequirement[] {
  const tools = new Map<string, ToolRequirement>();
  const need = (...wanted: readonly ToolRequirement[]) => {
    for (const one of wanted) tools.set(one.name, one);
  };
  for (const { source } of parts) {
    if (source.kind === "go" || source.kind === "module-files") need(go);
    if (source.kind === "c") need(gcc, libc);
    if (source.kind === "node-rootfs" || source.kind === "image-base") need(...debian);
    if (source.kind !== "go" || source.cgo !== true) continue;
    need(gcc, libc);
    if (source.tags?.includes("seccomp") === true) need(...seccomp);
  }
  return [...tools.values()];
}

async function missingTools(tools: readonly ToolRequirement[]): Promise<ToolRequirement[]> {
  const missing: ToolRequirement[] = [];
  for (const one of tools) {
    // `ls` of two patterns fails if either is absent; one that answers is enough.
    const test = one.test === undefined ? `command -v ${one.name}` : `test -n "$(${one.test} 2>/dev/null)"`;
    const { exitCode } = await run("sh", ["-c", `${test} >/dev/null 2>&1`], { accept: [1, 2, 127] });
    if (exitCode !== 0) missing.push(one);
  }
  return missing;
}

/**
 * Checks all tools at once, and installs Debian's packages of the missing ones where that is asked for.
 * @throws CastleError parts/tools-missing that names every one
 */
export async function requireTools(tools: readonly ToolRequirement[], install: boolean): Promise<void> {
  let missing = await missingTools(tools);
  const packages = missing.map((one) => one.package).filter((name) => name !== undefined);
  if (install && packages.length > 0 && (await missingTools([tool("apt-get")])).length === 0) {
    await installPackages(packages);
    missing = await missingTools(tools);
  }
  if (missing.length === 0) return;
  const installable = missing.map((one) => one.package).filter((name) => name !== undefined);
  const hints = [
    ...(installable.length === 0
      ? []
      : [`apt-get install ${installable.join(" ")}, or pass --install-tools`]),
    ...(missing.includes(go) ? ["install Go 1.26 or newer from go.dev/dl"] : []),
  ];
  throw new CastleError("parts/tools-missing", {
    message: `building the parts needs what is not installed here: ${missing.map((one) => one.name).join(", ")}`,
    hint: hints.join("; "),
    details: { missing: missing.map((one) => one.name) },
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
