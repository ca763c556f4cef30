import type { Castle } from "../../spec/castle.ts";
import type { PartSet } from "./part.ts";

/** Every set, in the order of the catalogue. */
export const allPartSets: readonly PartSet[] = ["machines", "platform", "monitoring"];

/** The sets of parts that a castle's lab needs: nothing of the platform where no Git repository owns one. */
export function partSets({ gitops, monitoring }: Pick<Castle, "gitops" | "monitoring">): readonly PartSet[] {
  if (gitops === undefined) return ["machines"];
  return monitoring?.prometheus === true ? ["machines", "platform", "monitoring"] : ["machines", "platform"];
}
