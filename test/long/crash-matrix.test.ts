import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CastleCommand } from "../e2e/castle-command.ts";
import { statusIs } from "../e2e/cluster.ts";
import { chosenMoments } from "../fixtures/chosen-moments.ts";
import { killVerb } from "../fixtures/killed-verb.ts";
import { canRunLab } from "../fixtures/parts.ts";

const NAME = "t-crash";
/** No verb has that many starts and ends of steps. */
const MOST = 80;
/** With vitest's -t, which names verbs, a part of the matrix. */
const moments = chosenMoments(MOST);
const BEFORE = "configmap/before";
const COUNTS = { controlPlanes: 3, workers: 1 };

interface Command {
  readonly args: readonly string[];
  /** Once it is through; 3 unless told. */
  readonly voters?: number;
}

/** What is killed at one moment, one after the other, by how often that was done before. */
type Verb = (count: number) => readonly Command[];

const RESET: Verb = () => [{ args: ["reset", "--yes"] }];
const RESTORE: Verb = () => [{ args: ["restore", "newest", "--yes"] }];

const verbs: Readonly<Record<string, Verb>> = {
  rebuild: () => [{ args: ["rebuild", "--yes"] }],
  "rebuild with a new identity": () => [{ args: ["rebuild", "--new-identity", "--yes"] }],
  replace: (count) => [{ args: ["replace", `${NAME}-cp-${(count % 3) + 1}`, "--yes"] }],
  scale: () => [
    { args: ["scale", "--control-planes", "1", "--yes"], voters: 1 },
    { args: ["scale", "--control-planes", "3", "--yes"] },
  ],
  shift: (count) => [{ args: ["shift", "--to", `192.168.1.${count % 2 === 0 ? 221 : 211}`, "--yes"] }],
};

/** Every verb killed behind every start and end of every step of its own journal, and run again: it converges. */
describe.skipIf(!canRunLab)("kill -9 at every journal step", () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    const { controlPlanes, workers } = COUNTS;
    await castle.spec(
      `nodes: { controlPlanes: { count: ${controlPlanes} }, workers: { count: ${workers} } }\n`,
    );
    await castle.run("up");
  });
  // The census is taken there.
  afterAll(() => castle.remove());

  /** Killed at each moment in turn until all commands of a moment end by themselves, and looked at each time. */
  async function killedEverywhere(
    verb: Verb,
    converge: (args: readonly string[], at: string) => Promise<void>,
  ): Promise<number> {
    let kills = 0;
    for (const [count, moment] of moments.entries()) {
      let silent = 0;
      for (const { args, voters = COUNTS.controlPlanes } of verb(count)) {
        const { at } = await killVerb(castle, args, moment);
        const told = `${args.join(" ")}, killed behind ${at ?? "its end"} (${moment})`;
        await converge(args, told);
        await statusIs(
          castle,
          ({ healthy, etcd }) => healthy && etcd.voters.length === voters,
          `healthy after ${told}`,
        );
        // Told at once: a part that is cut off has shown as much as it tells.
        console.log(`${told}: it converged`);
        if (at === undefined) silent += 1;
        else kills += 1;
      }
      if (silent === verb(count).length) break;
    }
    return kills;
  }

  it.each(Object.entries(verbs))(
    "%s",
    async (_, verb) => {
      const kills = await killedEverywhere(verb, async (args) => {
        await castle.run(...args);
      });
      expect(kills).toBeGreaterThan(0);
    },
    7_200_000,
  );

  it("reset", async () => {
    const kills = await killedEverywhere(RESET, async (args) => {
      await castle.run(...args);
      await castle.run("up");
    });
    expect(kills).toBeGreaterThan(0);
  }, 7_200_000);

  it("restore", async () => {
    const configMaps = () => castle.kubectl("get", "configmaps", "-o", "name");
    await castle.kubectl("create", "configmap", "before", "--from-literal=a=b");
    await castle.run("backup");
    await castle.kubectl("create", "configmap", "after", "--from-literal=a=b");
    const kills = await killedEverywhere(RESTORE, async (args, told) => {
      // Whoever comes with `up` raises the castle with its data or the backup's, or does not raise it: never empty.
      const { exitCode } = await castle.try("up", "--timeout", "60");
      expect(exitCode === 0 ? await configMaps() : BEFORE, `up after ${told}`).toContain(BEFORE);
      await castle.run(...args);
      const maps = await configMaps();
      expect(maps, `after ${told}`).toContain(BEFORE);
      expect(maps, `after ${told}`).not.toContain("configmap/after");
      await castle.kubectl("create", "configmap", "after", "--from-literal=a=b");
    });
    expect(kills).toBeGreaterThan(0);
  }, 7_200_000);
});
