import { BlogCastle, type Released } from "../test/e2e/blog-castle.ts";
import { CastleCommand } from "../test/e2e/castle-command.ts";
import { ending } from "./ending.ts";
import { median } from "./median.ts";
import type { Bench, Measurement, Section } from "./section.ts";

const NAME = "bench-blog";

/** From a pushed commit to bytes that every pod serves, as a person waits for it: the command's own start counts. */
export const publishSection: Section = {
  name: "publish",
  title: "A blog on a castle in the lab",
  measure: async (bench) => {
    const castle = await CastleCommand.prepare(NAME);
    return ending(
      async () => {
        const blog = await BlogCastle.raise(castle);
        await blog.publish();
        return measure(bench, blog);
      },
      () => castle.remove(),
    );
  },
};

interface Timed {
  readonly seconds: number;
  readonly released: Released;
}

async function timed(work: () => Promise<Released>): Promise<Timed> {
  const start = performance.now();
  const released = await work();
  return { seconds: (performance.now() - start) / 1000, released };
}

async function measure({ runs, tell }: Bench, blog: BlogCastle): Promise<readonly Measurement[]> {
  const changed: Timed[] = [];
  const same: Timed[] = [];
  const back: Timed[] = [];
  let live = await blog.git("rev-parse", "HEAD");
  for (let count = 1; count <= runs; count += 1) {
    const before = live;
    live = await blog.write(`Changed ${count} times`);
    changed.push(await timed(() => blog.publish()));
    same.push(await timed(() => blog.publish()));
    back.push(await timed(() => blog.rollback(before)));
    // Forward again, so that each change follows the one before.
    await blog.publish();
    tell(
      `${count} of ${runs}: ${[changed, same, back].map((list) => list.at(-1)?.seconds.toFixed(2)).join(", ")} s`,
    );
  }
  const uploads = back.flatMap(({ released }) => released.registry?.uploaded.bytes ?? 0);
  if (uploads.some((bytes) => bytes > 0)) throw new Error(`a rollback uploaded ${uploads.join(", ")} bytes`);
  return [
    row("one page changed, proven in every pod", changed, "at most 8 s"),
    ...steps(changed),
    row("nothing changed", same, "at most 1 s"),
    ...steps(same),
    row("rollback, proven, nothing uploaded", back, "at most 5 s"),
    ...steps(back),
  ];
}

function row(what: string, list: readonly Timed[], wanted: string): Measurement {
  return { what, unit: "s", values: list.map(({ seconds }) => seconds), wanted };
}

/** Where the time goes: each step of the receipt that took any, and what the command takes around them. */
function steps(list: readonly Timed[]): readonly Measurement[] {
  const names = [...new Set(list.flatMap(({ released }) => released.phases.map(({ step }) => step)))];
  const inside = names.map((name): Measurement => {
    const values = list.map(({ released }) => {
      const phase = released.phases.find(({ step }) => step === name);
      return phase?.milliseconds ?? 0;
    });
    return { what: `  ${name}`, unit: "ms", values };
  });
  const around = list.map(({ seconds, released }) => seconds * 1000 - released.milliseconds);
  return [{ what: "  start and source", unit: "ms" as const, values: around }, ...inside].filter(
    ({ values }) => median(values) >= 1,
  );
}
