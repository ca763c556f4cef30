import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CastleCommand } from "../test/e2e/castle-command.ts";
import { cloneManifests, componentOverride } from "../test/e2e/person-git.ts";
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
        const times = await pushAgain(bench, castle);
        return CHANGES.map(({ what }, index) => ({
          what: `pushed, applied, healthy: ${what}`,
          unit: "s" as const,
          values: times.map((run) => run[index] ?? 0),
          wanted: "at most 2 s",
        }));
      },
      () => castle.remove(),
    );
  },
};

/** Changes that start no new pod: what is measured is the way through Git. */
const CHANGES = [
  {
    what: "a site's Service",
    component: "sites",
    override: (count: number) =>
      componentOverride(
        { kind: "Service", name: "web" },
        `{ op: add, path: /metadata/annotations, value: { bench: "${count}" } }`,
      ),
  },
  {
    what: "the ingress' Service",
    component: "traefik",
    override: (count: number) =>
      componentOverride(
        { kind: "Service", name: "traefik" },
        `{ op: add, path: /metadata/annotations/bench, value: "${count}" }`,
      ),
  },
] as const;

/** @returns for each run the seconds of each change */
async function pushAgain(
  { folder, runs, tell }: Bench,
  castle: CastleCommand,
): Promise<readonly (readonly number[])[]> {
  const work = join(folder, "manifests");
  await mkdir(work, { mode: 0o700 });
  const git = await cloneManifests(await castle.lab(), NAME, work);
  const times: number[][] = [];
  for (let count = 1; count <= runs; count += 1) {
    const run: number[] = [];
    for (const { component, override } of CHANGES) {
      await writeFile(
        join(work, `clusters/${NAME}/overrides/${component}/kustomization.yaml`),
        override(count),
      );
      await git("commit", "-qam", `Change ${count} of ${component}`);
      await git("push", "-q", "origin", "HEAD:main");
      const start = performance.now();
      await castle.run("reconcile");
      run.push((performance.now() - start) / 1000);
    }
    times.push(run);
    tell(`${count} of ${runs}: ${run.map((time) => time.toFixed(2)).join(", ")} s`);
  }
  return times;
}
