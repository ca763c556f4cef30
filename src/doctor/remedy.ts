import type { Chart } from "./disease.ts";
import type { Manifest } from "./manifests/manifest.ts";

const CLUSTER_WIDE: ReadonlySet<string> = new Set(["Namespace", "Node"]);

/** kubectl as the reader of this chart calls it: castle's own knows the way to its castle. */
export function kubectl({ examination }: Pick<Chart, "examination">, args: string): string {
  return examination === undefined ? `kubectl ${args}` : `castle kubectl -- ${args}`;
}

/** The command that leads to where an object is written: the line of a file, or the object in its cluster. */
export function editCommand(chart: Pick<Chart, "examination" | "at">, manifest: Manifest): string {
  const { kind, namespace, name, origin } = manifest;
  if (chart.at !== undefined) {
    const where = CLUSTER_WIDE.has(kind) ? "" : `-n ${namespace} `;
    return kubectl(chart, `${where}edit ${kind.toLowerCase()} ${name}`);
  }
  return openCommand(origin);
}

/** @param origin FILE:LINE */
export function openCommand(origin: string): string {
  const colon = origin.lastIndexOf(":");
  return `\${EDITOR:-vi} +${origin.slice(colon + 1)} ${origin.slice(0, colon)}`;
}
