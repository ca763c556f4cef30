import { expect } from "vitest";
import { z } from "zod";
import type { CastleCommand } from "./castle-command.ts";

const errorShape = z.object({
  kind: z.literal("Error"),
  code: z.string(),
  message: z.string(),
  hint: z.string(),
});
export type ToldFault = z.infer<typeof errorShape>;

/** Runs a command that has to fail. @returns what it said */
export async function faultOf(
  castle: CastleCommand,
  exit: number,
  ...args: readonly string[]
): Promise<ToldFault> {
  const { exitCode, stdout } = await castle.try(...args, "-o", "json");
  expect([exitCode, stdout]).toEqual([exit, expect.stringContaining('"Error"')]);
  return errorShape.parse(JSON.parse(stdout));
}

/** A castle as small as one with a platform can be; it pulls castle's own images from where castle pushed them. */
export function smallCastle(more: Readonly<Record<string, string>> = {}): string {
  const sections = {
    nodes: "{ controlPlanes: { count: 1 }, workers: { count: 1 } }",
    gitops: "{}",
    registry: "registry.lan/tazlab",
    ...more,
  };
  return Object.entries(sections)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join("");
}
