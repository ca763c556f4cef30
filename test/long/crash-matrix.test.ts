import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CastleCommand } from "../e2e/castle-command.ts";
import { statusIs } from "../e2e/cluster.ts";
import { killVerb } from "../fixtures/killed-verb.ts";
import { canRunLab } from "../fixtures/parts.ts";

const NAME = "t-crash";
/** No verb has that many starts and ends of steps. */
const MOST = 80;

interface Verb {
  /** The command, by how often it has been run before. */
  readonly args: (count: number) => readonly string[];
  /** What stands once it is through; undefined: the castle has to be raised again first. */
  readonly voters: number | undefined;
}

const verbs: Readonly<Record<string, Verb>> = {
  reset: { args: () => ["reset", "--yes"], voters: undefined },
  rebuild: { args: () => ["rebuild", "--yes"], voters: 3 },
  "rebuild with a new identity": { args: () => ["rebuild", "--new-identity", "--yes"], voters: 3 },
  replace: { args: (count) => ["replace", `${NAME}-cp-${(count % 3) + 1}`, "--yes"], voters: 3 },
  shift: {
    args: (count) => ["shift", "--to", count % 2 === 0 ? "192.168.1.221" : "192.168.1.211", "--yes"],
    voters: 3,
  },
};

/** Every verb killed behind every start and end of every step of its own journal, and run again: it converges. */
describe.skipIf(!canRunLab)("kill -9 at every journal step", () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec("nodes: { controlPlanes: { count: 3 }, workers: { count: 1 } }\n");
    await castle.run("up");
  });
  // The census is taken there.
  afterAll(() => castle.remove());

  const healthy = (voters: number, what: string) =>
    statusIs(castle, (status) => status.healthy && status.etcd.voters.length === voters, what);

  it.each(Object.entries(verbs))(
    "%s",
    async (verb, { args, voters }) => {
      const killed: string[] = [];
      for (let moment = 0; moment < MOST; moment++) {
        const command = args(moment);
        const { at } = await killVerb(castle, command, moment);
        await castle.run(...command);
        if (voters === undefined) await castle.run("up");
        await healthy(voters ?? 3, `healthy after ${verb}, killed behind ${at}`);
        if (at === undefined) break;
        killed.push(at);
      }
      console.log(`${verb}: killed behind ${killed.length} moments: ${killed.join(", ")}`);
      expect(killed.length).toBeGreaterThan(5);
    },
    7_200_000,
  );

  it("scale, up and down", async () => {
    const killed: string[] = [];
    for (let moment = 0, silent = 0; moment < MOST && silent < 2; moment++) {
      silent = 0;
      for (const [count, voters] of [
        [1, 1],
        [3, 3],
      ] as const) {
        const command = ["scale", "--control-planes", String(count), "--yes"];
        const { at } = await killVerb(castle, command, moment);
        await castle.run(...command);
        await healthy(voters, `healthy with ${voters} control planes, killed behind ${at}`);
        if (at === undefined) silent += 1;
        else killed.push(at);
      }
    }
    console.log(`scale: killed behind ${killed.length} moments: ${killed.join(", ")}`);
    expect(killed.length).toBeGreaterThan(10);
  }, 7_200_000);
});
