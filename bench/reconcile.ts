import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CastleCommand } from "../test/e2e/castle-command.ts";
import { cloneManifests, webOverride } from "../test/e2e/person-git.ts";
import { ending } from "./ending.ts";
import type { Bench, Section } from "./section.ts";

const NAME = "bench-git";

/** From a push to the castle's repository until `castle reconcile` says that the cluster runs it. */
export const reconcileSection: Section = {
  name: "reconcile",
  title: "A push to Git, applied by castle reconcile",
  measure: async (bench) => {
    const castle = await CastleCommand.prepare(NAME);
    return ending(
      async () => {
        await castle.spec("gitops: {}\n");
        await castle.run("up", "--install-tools");
        return [
          {
            what: "pushed, applied, healthy",
            unit: "s" as const,
            values: await pushAgain(bench, castle),
            wanted: "at most 2 s",
          },
        ];
      },
      () => castle.remove(),
    );
  },
};

async function pushAgain({ folder, runs, tell }: Bench, castle: CastleCommand): Promise<readonly number[]> {
  const work = join(folder, "manifests");
  await mkdir(work, { mode: 0o700 });
  const git = await cloneManifests(await castle.lab(), NAME, work);
  const times: number[] = [];
  for (let count = 1; count <= runs; count += 1) {
    await writeFile(join(work, `clusters/${NAME}/overrides/sites/kustomization.yaml`), override(count));
    await git("commit", "-qam", `Change ${count}`);
    await git("push", "-q", "origin", "HEAD:main");
    const start = performance.now();
    await castle.run("reconcile");
    times.push((performance.now() - start) / 1000);
    tell(`${count} of ${runs}: ${times.at(-1)?.toFixed(2)} s`);
  }
  return times;
}

/** A change that starts no new pod: what is measured is the way through Git. */
function override(count: number): string {
  return webOverride("Service", `{ op: add, path: /metadata/annotations, value: { bench: "${count}" } }`);
}
