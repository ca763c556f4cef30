import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { median } from "../../bench/median.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { type Node, nodesOf, statusIs } from "../e2e/cluster.ts";
import { ghosts, told } from "../e2e/ghosts.ts";
import { canRunLab } from "../fixtures/parts.ts";

const LOOKS = 100;
const SPEC = "nodes: { controlPlanes: { count: 3 }, workers: { count: 1 } }\n";

interface Look {
  readonly during: string;
  readonly told: readonly string[];
  readonly milliseconds: number;
}

/** A hundred looks at castles that have no ghosts, most of them while something goes on that resembles one. */
describe.skipIf(!canRunLab)("ghosts' false alarms", () => {
  let castle: CastleCommand;
  let nodes: readonly Node[];

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-alarms");
    await castle.spec(SPEC);
    nodes = await nodesOf(castle);
  });
  afterAll(() => castle.remove());

  const healthy = () => statusIs(castle, (found) => found.healthy, "healthy");

  /** Looks while something goes on, and `least` times in all. */
  async function look(during: string, work: Promise<unknown>, least = 0): Promise<readonly Look[]> {
    const looks: Look[] = [];
    const over = new AbortController();
    const done = work.finally(() => over.abort());
    // Who fails is told at the end, not while nobody listens.
    done.catch(() => undefined);
    while (!over.signal.aborted || looks.length < least) {
      const found = await ghosts(castle).catch(() => undefined);
      // Before the castle has credentials there is nobody to ask, and nothing that could be told.
      if (found !== undefined) looks.push({ during, told: told(found), milliseconds: found.milliseconds });
    }
    await done;
    return looks;
  }

  it(`are none in ${LOOKS} looks: at joins, power-offs, changed configurations and rest`, async () => {
    const looks = [...(await look("up", castle.run("up", "--install-tools")))];
    await healthy();
    for (const { name } of nodes.slice(1)) {
      looks.push(...(await look("power-off", castle.run("lab", "power", "off", name), 3)));
      looks.push(...(await look("power-on", castle.run("lab", "power", "on", name).then(healthy))));
    }
    await castle.spec(`${SPEC}talos: { patches: [{ machine: { sysctls: { vm.swappiness: "10" } } }] }\n`);
    looks.push(...(await look("configuration", castle.run("up"))));
    looks.push(...(await look("rest", healthy(), Math.max(5, LOOKS - looks.length))));
    const alarms = looks.filter(({ told: found }) => found.length > 0);
    const times = looks.map(({ milliseconds }) => milliseconds);
    const counts = new Map<string, number>();
    for (const { during } of looks) counts.set(during, (counts.get(during) ?? 0) + 1);
    console.log(
      `${looks.length} looks (${[...counts].map(([during, some]) => `${some} ${during}`).join(", ")}), ${alarms.length} false alarms; a verdict takes ${median(times)} ms (median), ${Math.max(...times)} ms at most`,
    );
    expect(looks.length).toBeGreaterThanOrEqual(LOOKS);
    expect(alarms).toEqual([]);
  }, 900_000);
});
