import type { Part, PartSet, PartSource } from "./part.ts";

type GoSource = Extract<PartSource, { kind: "go" }>;

interface GoProgram {
  readonly name: string;
  readonly version: string;
  readonly purpose: string;
  readonly set: PartSet;
  readonly seconds: number;
  readonly wanted?: boolean;
  readonly source: Omit<GoSource, "kind" | "programs"> & { readonly package: string };
}

/** A part with one Go program that is named after it. */
export function goProgram({ source, wanted, ...rest }: GoProgram): Part {
  const { package: path, ...flags } = source;
  const go: GoSource = { kind: "go", programs: { [rest.name]: path }, ...flags };
  return { ...rest, source: go, needs: [], wanted: wanted ?? false };
}
