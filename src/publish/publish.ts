import { CastleError } from "../errors/castle-error.ts";
import { readLayoutImage } from "../image/layout-image.ts";
import type { Tip } from "../gitops/repository.ts";
import { type Delivery, type ReleaseName } from "./delivery/delivery.ts";
import { commitPhase } from "./delivery/commit-phase.ts";
import type { ManifestCommit } from "./delivery/manifest-commit.ts";
import { NO_CLUSTER } from "./delivery/phase.ts";
import { ensurePullAccess } from "./delivery/pull-access.ts";
import { preflight, type Preflight } from "./delivery/preflight.ts";
import { type Proof, proveLive } from "./delivery/prove-live.ts";
import { type Receipt, receiptOf } from "./delivery/receipt.ts";
import { pushRelease, type Pushed } from "./delivery/registry-push.ts";
import { factsFromRegistry, factsOfPacked, type ReleaseFacts } from "./delivery/release-facts.ts";
import { DeliveryRun } from "./delivery/run.ts";
import { Standing } from "./delivery/standing.ts";
import { refuseBackwards } from "./delivery/succession.ts";
import { type PackedRelease, releaseTag, type SourceFacts } from "./release.ts";
import { goBack } from "./go-back.ts";

export interface PublishOptions {
  readonly source: SourceFacts;
  /** The manifests' last commit as of a moment ago; undefined: it has to be asked for. */
  readonly tip?: Tip | undefined;
  /** From the commit to the packed image; asked only where the release does not stand already. */
  readonly build: (livePages: number | undefined) => Promise<PackedRelease>;
  /** Repository of the same registry that has the base's layers. */
  readonly mountFrom?: string | undefined;
  /** Where the rollout fails: commit forward to what was live before. */
  readonly autoRollback: boolean;
}

/**
 * The release transaction. Everything before the commit in the manifests changes nothing that anybody sees, everything
 * after it only looks; run again after whatever interruption, it converges from registry and Git alone.
 * @throws CastleError whose exit code is that of the phase, and which says what is and what is not live
 */
export async function publish(delivery: Delivery, options: PublishOptions): Promise<Receipt> {
  const { source } = options;
  const run = new DeliveryRun(delivery, new Standing(releaseTag(delivery.site.name, source.commit)));
  const seen = await run.phase({ phase: "source", step: "preflight", title: "Preflight" }, () =>
    preflight(delivery, run, { commit: source.commit, tip: options.tip }),
  );
  const warnings = [...source.warnings, ...seen.warnings];
  for (const message of warnings) delivery.report({ type: "warning", message });
  const { release, facts, pushed } = await inRegistry(delivery, run, seen, options);
  await ensurePullAccess(delivery, run, { release, live: seen.live });
  const finish = (committed: ManifestCommit, proof: Proof | undefined): Receipt =>
    receiptOf(delivery, run, { action: "publish", release, committed, proof, pushed, warnings });
  const committed =
    standingCommit(run, seen) ??
    (await commitPhase(delivery, run, {
      release,
      kind: "publish",
      subject: source.subject,
      seen: { tip: { commit: seen.tip }, live: seen.live },
      guard: (live) => refuseBackwards(release.commit, live.commit, delivery.ancestry),
    }));
  const { cluster } = delivery;
  if (cluster === undefined) {
    run.skip({ phase: "rollout", step: "rollout", title: "Rollout" }, NO_CLUSTER);
    return finish(committed, undefined);
  }
  try {
    const proof = await proveLive(delivery, cluster, run, {
      facts: () => facts,
      committed: { ...committed, release },
      follower: seen.follower,
    });
    return finish(committed, proof);
  } catch (error) {
    if (!options.autoRollback) throw error;
    throw await goBack(delivery, run, { error, committed });
  }
}

/** What the preflight saw a moment ago need not be asked again. */
function standingCommit(run: DeliveryRun, { standing, tip, live }: Preflight): ManifestCommit | undefined {
  if (standing === undefined || tip === undefined) return undefined;
  run.skip({ phase: "gitops", step: "gitops", title: "GitOps repository" }, "names the release already");
  run.standing.committed = tip;
  return { commit: tip, previous: undefined, pushed: false, file: live.place.file, place: live.place };
}

interface InRegistry {
  readonly release: ReleaseName;
  readonly facts: Promise<ReleaseFacts>;
  readonly pushed: Pushed | undefined;
}

async function inRegistry(
  delivery: Delivery,
  run: DeliveryRun,
  seen: Preflight,
  { build, mountFrom }: PublishOptions,
): Promise<InRegistry> {
  const { standing } = seen;
  if (standing !== undefined) {
    run.skip({ phase: "build", step: "build", title: "Build" }, `${standing.tag} is what the manifests name`);
    run.standing.pushed = standing.tag;
    const facts = factsFromRegistry(delivery, standing);
    facts.catch(() => {});
    return { release: standing, facts, pushed: undefined };
  }
  const packed = await run.phase({ phase: "build", step: "build", title: "Build" }, async () => {
    const release = await build(await livePages(delivery, seen));
    return { ...release, detail: `${release.pages} pages, ${release.digest.slice(7, 19)}` };
  });
  const pushed = await run.phase({ phase: "registry", step: "registry", title: "Registry" }, async () => {
    const done = await pushRelease(delivery, packed, {
      mountFrom,
      onProgress: (done, total) =>
        delivery.report({ type: "progress", id: "publish-registry", message: "bytes", done, total }),
    });
    return { ...done, detail: pushedText(done) };
  });
  run.standing.pushed = packed.tag;
  const { config } = await readLayoutImage(packed.layout);
  const facts = factsOfPacked(packed, config.digest);
  return { release: packed, facts: Promise.resolve(facts), pushed };
}

function pushedText({ written, uploaded, mounted, present }: Pushed): string {
  if (!written) return "has the release already";
  const kib = Math.ceil(uploaded.bytes / 1024);
  return `${uploaded.blobs} blobs uploaded (${kib} KiB), ${present} there, ${mounted} mounted`;
}

/** How many pages visitors see now; an image of others does not say. */
async function livePages(delivery: Delivery, { live }: Preflight): Promise<number | undefined> {
  if (live.digest === undefined) return undefined;
  try {
    const name = { commit: live.commit ?? "", tag: live.tag ?? "", digest: live.digest };
    return (await factsFromRegistry(delivery, name)).pages;
  } catch (error) {
    if (error instanceof CastleError && error.code === "image/not-found") return undefined;
    throw error;
  }
}
