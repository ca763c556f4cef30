import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ToolRequirement } from "./tool-requirements.ts";

/** The newest Go that one of these modules asks for in its `go` line, as 1.26.0. */
export async function wantedGo(modules: string, groups: Iterable<string>): Promise<string> {
  let wanted = "1.0.0";
  for (const group of groups) {
    const text = await readFile(join(modules, group, "go.mod"), "utf8");
    const version = /^go (\d+\.\d+(?:\.\d+)?)/m.exec(text)?.[1];
    if (version !== undefined && rank(version) > rank(wanted)) wanted = version;
  }
  return wanted;
}

/** Go of that version or newer: Go fetches no newer one by itself, since builds are pinned to what is installed. */
export function goRequirement(wanted: string): ToolRequirement {
  // GOVERSION is go1.26.8 or go1.27rc1; a build from source says "devel go1.27-COMMIT".
  const newEnough = `'$2 * 1000000 + $3 * 1000 + $4 >= ${rank(wanted)}'`;
  return {
    name: `go ${wanted} or newer`,
    package: undefined,
    test: `GOTOOLCHAIN=local go env GOVERSION | awk -F 'go|[.]' ${newEnough}`,
    instead: "GOTOOLCHAIN=local go env GOVERSION",
    hint: `install Go ${wanted} or newer from go.dev/dl`,
  };
}

function rank(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 1_000_000 + minor * 1000 + patch;
}
