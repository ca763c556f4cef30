import type { Tip } from "../../gitops/repository.ts";
import { showsRelease, writeImage } from "../../gitops/edit/image-edit.ts";
import { releaseTag } from "../release.ts";
import type { Delivery, ReleaseName } from "./delivery.ts";
import { findFollower, type FluxFollower, fluxObjects } from "./flux-follower.ts";
import { type LivePlace, readLivePlace } from "./manifest-place.ts";
import type { Phase } from "./phase.ts";
import type { DeliveryRun } from "./run.ts";
import { refuseBackwards } from "./succession.ts";

/** What was seen before anything was changed. */
export interface Preflight {
  readonly live: LivePlace;
  /** The manifests' commit that says so; undefined: the repository is empty. */
  readonly tip: string | undefined;
  readonly follower: FluxFollower | undefined;
  /** The release of this commit, where manifests and registry agree on it: there is nothing to build. */
  readonly standing: ReleaseName | undefined;
  readonly warnings: readonly string[];
  /** For people. */
  readonly detail: string;
}

/** Any release: whether the place can be written does not hang on which one. */
const TRIAL = { tag: "castle-0000000", digest: `sha256:${"0".repeat(64)}` };

/**
 * Asks everybody who will be needed whether they would play along; reads only, all at once.
 * @throws CastleError with the exit code of the phase that would fail
 */
export async function preflight(
  delivery: Delivery,
  run: DeliveryRun,
  { commit, tip: fetched }: { readonly commit: string; readonly tip: Tip | undefined },
): Promise<Preflight> {
  const { registry, image, site, manifests, cluster, signal } = delivery;
  const tag = releaseTag(site.name, commit);
  const checks = new Checks(run);
  const nameOf = (digest: string | undefined) => (digest === undefined ? undefined : { commit, tag, digest });
  const tagged = checks.add("registry", async () => {
    const digest = await registry.digest(image.repository, tag);
    // Where it lies already, nothing is written.
    if (digest === undefined) await registry.checkWritable(image.repository);
    return digest;
  });
  const live = checks.add("gitops", async () => {
    const { repository } = manifests;
    const tip = fetched ?? (await repository.fetchTip());
    const found = await readLivePlace(delivery, tip);
    run.standing.live = found.tag;
    if (isStanding(found, nameOf(await tagged.catch(() => undefined)))) return { ...found, tip: tip.commit };
    await repository.checkWritable(tip);
    writeImage(found.file, found.place, TRIAL, found.isPlaceholder ? site.image : undefined);
    return { ...found, tip: tip.commit };
  });
  void checks.add("source", async () => refuseBackwards(commit, (await live).commit, delivery.ancestry));
  const follower = checks.add("source", async () => {
    if (cluster === undefined) return undefined;
    const [objects, { place }] = await Promise.all([fluxObjects(cluster, signal), live]);
    return findFollower(objects, manifests.repository.remote, place.file);
  });
  await checks.done();
  const [place, digest, found] = await Promise.all([live, tagged, follower]);
  const release = nameOf(digest);
  return {
    live: place,
    tip: place.tip,
    follower: found,
    standing: isStanding(place, release) ? release : undefined,
    warnings: found?.warnings ?? [],
    detail: place.tag === undefined ? "nothing is live yet" : `live is ${place.tag}`,
  };
}

function isStanding({ place }: LivePlace, release: ReleaseName | undefined): boolean {
  return release !== undefined && showsRelease(place, release);
}

class Checks {
  readonly #run: DeliveryRun;
  readonly #all: { readonly phase: Phase; readonly work: Promise<unknown> }[] = [];

  constructor(run: DeliveryRun) {
    this.#run = run;
  }

  add<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const running = work();
    running.catch(() => {});
    this.#all.push({ phase, work: running });
    return running;
  }

  /** Of several refusals the one that was asked first is told: a later one may only follow from it. */
  async done(): Promise<void> {
    await Promise.allSettled(this.#all.map(({ work }) => work));
    for (const { phase, work } of this.#all) {
      await work.catch((error: unknown) => {
        throw this.#run.failed(error, phase);
      });
    }
  }
}
