import { z } from "zod";
import { poll } from "../../src/support/poll.ts";
import type { CastleCommand } from "./castle-command.ts";

const standing = z.object({ voters: z.number(), healthy: z.number(), tolerance: z.number() });

const ghostsShape = z.object({
  apiVersion: z.literal("castle.dev/v1alpha1"),
  kind: z.literal("Ghosts"),
  milliseconds: z.number(),
  quorum: z.object({ state: z.string(), standing: standing.optional() }),
  ghosts: z.array(
    z.object({
      class: z.string(),
      subject: z.string(),
      state: z.enum(["ghost", "joining"]),
      evidence: z.array(z.object({ source: z.string(), fact: z.string() })),
      quorum: z.array(z.object({ verdict: z.string(), before: standing, after: standing })),
      curable: z.boolean(),
    }),
  ),
  waysOut: z.array(z.object({ command: z.string(), loses: z.string() })),
});

export type Ghosts = z.infer<typeof ghostsShape> & { readonly exitCode: number };

export const curedShape = z.object({
  kind: z.literal("GhostsCured"),
  milliseconds: z.object({ verdict: z.number(), cure: z.number() }),
  cured: z.array(z.object({ class: z.string(), subject: z.string() })),
  left: z.array(z.unknown()),
  waiting: z.array(z.string()),
});

export async function ghosts(castle: CastleCommand): Promise<Ghosts> {
  const { exitCode, stdout } = await castle.try("ghosts", "-o", "json");
  return { ...ghostsShape.parse(JSON.parse(stdout)), exitCode };
}

/** What is told as a ghost, not what still joins: "G2 old-cp-2". */
export function told({ ghosts: found }: Ghosts): readonly string[] {
  return found
    .filter(({ state }) => state === "ghost")
    .map(({ class: name, subject }) => `${name} ${subject}`);
}

/**
 * Waits for a ghost of that class: some take time to tell, as operations.md has it.
 * @param fact what its evidence has by then; a node that was just powered on is not there yet
 */
export async function haunted(castle: CastleCommand, ofClass: string, fact = ""): Promise<Ghosts> {
  let last: Ghosts | undefined;
  return poll(
    async () => {
      last = await ghosts(castle);
      const told = last.ghosts.some(
        ({ state, class: name, evidence }) =>
          state === "ghost" && name === ofClass && evidence.some((one) => one.fact.includes(fact)),
      );
      return told ? last : undefined;
    },
    {
      every: 500,
      within: 150_000,
      onTimeout: () => new Error(`no ${ofClass}: ${JSON.stringify(last, undefined, 2)}`),
    },
  );
}

/** Waits for a look in which all three votes are heard: a busy machine may not answer within the few seconds of one. */
export function threeHealthy(castle: CastleCommand, after: string): Promise<Ghosts> {
  return poll(
    async () => {
      const look = await ghosts(castle);
      return look.quorum.standing?.healthy === 3 ? look : undefined;
    },
    {
      every: 1_000,
      within: 120_000,
      onTimeout: () => new Error(`not three healthy voters ${after}`),
    },
  );
}
