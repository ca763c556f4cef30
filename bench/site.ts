import { rm } from "node:fs/promises";
import { join } from "node:path";
import { SitePod } from "../test/contract/site-pod.ts";
import { exampleBlog } from "../test/fixtures/example-blog.ts";
import type { SiteSource } from "../test/fixtures/site-source.ts";
import { readLayoutImage } from "../src/image/layout-image.ts";
import { platformVersions } from "../src/lab/parts/platform-versions.ts";
import { buildRoot } from "../src/publish/build/build-root.ts";
import { buildRelease } from "../src/publish/build-release.ts";
import { renderSiteLock } from "../src/publish/lock/site-lock.ts";
import type { PackedRelease, SiteLock } from "../src/publish/release.ts";
import { checkSource } from "../src/publish/source/check-source.ts";
import { run } from "../src/support/run.ts";
import { openScratch } from "../src/support/scratch-folder.ts";
import { ending } from "./ending.ts";
import type { Bench, Measurement, Section } from "./section.ts";

const PAGES = 1000;

/** What checks, hashes and archives cost beside the time that Hugo itself takes. */
export const siteSection: Section = {
  name: "site",
  title: `A site of ${PAGES} posts, built and packed`,
  measure: async (bench) => {
    const base = await bench.store.resolve("nginx-base");
    const { digest } = (await readLayoutImage(base)).manifest.descriptor;
    const version = platformVersions.hugo.slice(1);
    const lock: SiteLock = {
      layout: 1,
      base: `castle.local/nginx-base@${digest}`,
      build: { kind: "hugo" },
      hugo: version,
    };
    const blog = await exampleBlog({ ...posts(), "castle.lock": renderSiteLock(lock) });
    const hugo = await bench.store.resolve("hugo");
    return ending(
      () => measure(bench, { blog, lock, base, hugo }),
      () => blog.remove(),
    );
  },
};

interface Workplace {
  readonly blog: SiteSource;
  readonly lock: SiteLock;
  readonly base: string;
  readonly hugo: string;
}

async function measure(bench: Bench, place: Workplace): Promise<readonly Measurement[]> {
  const byHand: number[] = [];
  const whole: number[] = [];
  const again: number[] = [];
  const started: number[] = [];
  for (let count = 1; count <= bench.runs; count += 1) {
    byHand.push(await hugoAlone(bench, place));
    // Without what an earlier release left, and with it: then no layer is made anew.
    await rm(join(bench.folder, "cache"), { recursive: true, force: true });
    whole.push(await release(bench, place));
    again.push(
      await release(bench, place, async ({ layout }) => {
        const pod = await SitePod.start(layout);
        started.push(pod.servedAfter);
        await pod.stop();
      }),
    );
    bench.tell(
      `${count} of ${bench.runs}: Hugo ${byHand.at(-1)?.toFixed(2)} s, all ${whole.at(-1)?.toFixed(2)} s`,
    );
  }
  return [
    {
      what: "exported, built, packed",
      unit: "s",
      values: whole,
      byHand,
      wanted: "at most 1.3 times and 1 s",
    },
    { what: "again, nothing changed", unit: "s", values: again },
    { what: "container's start to its first 200", unit: "ms", values: started, wanted: "at most 500 ms" },
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function hugoAlone({ folder, signal }: Bench, { blog, hugo }: Workplace): Promise<number> {
  const output = join(folder, "hugo");
  const args = [
    "--source",
    blog.folder,
    "--destination",
    output,
    "--minify",
    "--panicOnWarning",
    "--noBuildLock",
  ];
  const time = await timed(() => run(hugo, args, { timeout: 300_000, signal }));
  await rm(output, { recursive: true });
  await rm(join(blog.folder, "resources"), { recursive: true, force: true });
  return time;
}

/** @param use what is done with the image while it is there @returns seconds that it took to make */
async function release(
  bench: Bench,
  { blog, lock, base, hugo }: Workplace,
  use: (release: PackedRelease) => Promise<void> = async () => {},
): Promise<number> {
  const environment = { PATH: "/usr/local/bin:/usr/bin:/bin" };
  const start = performance.now();
  const source = await checkSource({ folder: blog.folder, environment, signal: bench.signal });
  const work = await openScratch("bench", await buildRoot(source, lock, { environment }));
  try {
    const packed = await buildRelease({
      site: "blog",
      source,
      lock,
      base,
      work: join(work.path, "work"),
      cache: join(bench.folder, "cache"),
      environment,
      hugo: () => Promise.resolve(hugo),
      signal: bench.signal,
    });
    const seconds = (performance.now() - start) / 1000;
    await use(packed);
    return seconds;
  } finally {
    await work.remove();
  }
}

const WORDS =
  "the castle stands on three members and a quorum of two while pods drain leases expire certificates return from escrow and a commit names what shall run".split(
    " ",
  );

/** Posts of some 400 words, none like another. */
function posts(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: PAGES }, (_, index) => {
      const words = Array.from(
        { length: 400 },
        (_, at) => WORDS[(index * 7 + at * (index % 11) + at) % WORDS.length],
      );
      const day = new Date(Date.UTC(2020, 0, 1) + index * 86_400_000).toISOString().slice(0, 10);
      const front = `title: "Note ${index}"\ndate: ${day}\ndescription: "Note number ${index}"\ntags: [etcd]\n`;
      return [
        `content/posts/note-${index}.md`,
        `---\n${front}---\n\n${words.join(" ")}.\n\n## More\n\nNote ${index}.\n`,
      ];
    }),
  );
}
