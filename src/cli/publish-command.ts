import { join, resolve } from "node:path";
import { type Report, runStep } from "../journal/step.ts";
import type { Repository, Tip } from "../gitops/repository.ts";
import { parseImageName } from "../image/image-name.ts";
import { readSiteLock } from "../publish/lock/read-site-lock.ts";
import { sourceAncestry } from "../publish/delivery/ancestry.ts";
import type { Delivery } from "../publish/delivery/delivery.ts";
import { publish, type PublishOptions } from "../publish/publish.ts";
import { buildRoot } from "../publish/build/build-root.ts";
import type { PublishPlan } from "../publish/publish-plan.ts";
import type { PackedRelease, SiteLock, SourceFacts } from "../publish/release.ts";
import { checkSource } from "../publish/source/check-source.ts";
import { openScratch, type ScratchFolder } from "../support/scratch-folder.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { publishCache } from "./places.ts";
import { findSite, type FoundSite, type PublishTarget, type TargetChoice } from "./publish-target.ts";
import { receiptAnswer } from "./receipt-answer.ts";

export interface PublishChoice extends TargetChoice {
  readonly autoRollback: boolean;
  readonly allowFewerPages: boolean;
  /** Seconds. */
  readonly timeout: number;
}

export async function publishSite(
  context: Context,
  report: Report,
  choice: PublishChoice,
): Promise<AnswerOf<"Released">> {
  return withRelease(context, { choice, report }, async (target, options) => {
    const delivery = deliveryOf(context, report, target, choice);
    return receiptAnswer(await publish(delivery, options), { now: context.now(), url: target.url });
  });
}

export async function planSite(
  context: Context,
  report: Report,
  choice: PublishChoice,
): Promise<AnswerOf<"PublishPlan">> {
  const { planPublication } = await import("../publish/publish-plan.ts");
  return withRelease(context, { choice, report }, async (target, options) =>
    planAnswer(await planPublication(deliveryOf(context, report, target, choice), options)),
  );
}

export async function resumeSite(
  context: Context,
  report: Report,
  choice: PublishChoice,
): Promise<AnswerOf<"Released">> {
  const { resume } = await import("../publish/resume.ts");
  return withTarget(context, choice, async (target) =>
    receiptAnswer(await resume(deliveryOf(context, report, target, choice)), {
      now: context.now(),
      url: target.url,
    }),
  );
}

/** Pins base and Hugo of today in the site's castle.lock, for its author to commit. */
export async function lockSite(context: Context, choice: PublishChoice): Promise<AnswerOf<"SiteLocked">> {
  const { pinSite } = await import("./site-lock.ts");
  return withTarget(context, choice, async (target) => {
    const { path, lock, same } = await pinSite(context, target.site.name, sourceFolder(target));
    return {
      kind: "SiteLocked",
      data: { site: target.site.name, file: path, base: lock.base, changed: !same },
      text: same
        ? `${path} is up to date`
        : `Wrote ${path}\nNext: git add castle.lock && git commit -m "Pin base and Hugo" && git push`,
    };
  });
}

export async function withTarget<T>(
  context: Context,
  choice: TargetChoice,
  work: (target: PublishTarget) => Promise<T>,
): Promise<T> {
  const target = await (await findSite(context, choice)).open();
  try {
    return await work(target);
  } finally {
    await target.close();
  }
}

/**
 * Opens the target while the manifests are fetched. Where they cannot be, the tip is undefined: whoever needs it asks
 * again, and says why.
 */
export async function openWithTip(
  found: FoundSite,
): Promise<{ readonly target: PublishTarget; readonly tip: Promise<Tip | undefined> }> {
  let tip: Promise<Tip | undefined> = Promise.resolve(undefined);
  const fetch = (repository: Repository) => (tip = repository.fetchTip().catch(() => undefined));
  const target = await found.open(fetch);
  return { target, tip };
}

export function deliveryOf(
  context: Context,
  report: Report,
  target: PublishTarget,
  { timeout }: { readonly timeout: number },
): Delivery {
  const { site, image, registry, pull, manifests, cluster, visit } = target;
  const { signal, env } = context;
  return {
    site,
    image,
    registry,
    pull,
    manifests,
    cluster,
    visit,
    ancestry: sourceAncestry({ folder: sourceFolder(target), environment: env, signal }),
    report,
    now: context.now,
    patience: timeout * 1_000,
    signal,
  };
}

/** Absolute. */
export function sourceFolder({ folder, site }: Pick<FoundSite, "site" | "folder">): string {
  return resolve(folder, site.source);
}

interface Wanted {
  readonly choice: PublishChoice;
  readonly report: Report;
}

/**
 * Gives a publication its source and what builds it. Git is at work on the source while castle and registry are looked
 * for, and the manifests are fetched.
 */
async function withRelease<T>(
  context: Context,
  { choice, report }: Wanted,
  work: (target: PublishTarget, options: PublishOptions) => Promise<T>,
): Promise<T> {
  const found = await findSite(context, choice);
  const checking = checkedSource(context, found, report);
  const checked = checking.catch(() => undefined);
  const { target, tip } = await openWithTip(found).catch(async (error: unknown) => {
    await checked;
    throw error;
  });
  // What it builds goes away with it.
  let folder: ScratchFolder | undefined;
  try {
    await target.registry.prepare();
    const { source, lock } = await checking;
    const base = parseImageName(lock.base.split("@")[0] ?? "");
    return await work(target, {
      source,
      tip: await tip,
      autoRollback: choice.autoRollback,
      mountFrom: base.registry === target.image.registry ? base.repository : undefined,
      build: async (livePages) => {
        folder = await openScratch("release", await buildRoot(source, lock, { environment: context.env }));
        return build(context, choice, { target, source, lock, folder: folder.path, livePages });
      },
    });
  } finally {
    await folder?.remove();
    await target.close();
  }
}

interface Building {
  readonly target: PublishTarget;
  readonly source: SourceFacts;
  readonly lock: SiteLock;
  readonly folder: string;
  readonly livePages: number | undefined;
}

async function build(
  context: Context,
  { insecure, allowFewerPages }: PublishChoice,
  { target, source, lock, folder, livePages }: Building,
): Promise<PackedRelease> {
  const { env: environment, signal } = context;
  // Nothing of it is needed where nothing has changed.
  const [{ buildRelease }, { hugoVersion }, { ensureBase }, { castleHugo }] = await Promise.all([
    import("../publish/build-release.ts"),
    import("../publish/build/hugo.ts"),
    import("./site-base.ts"),
    import("./site-lock.ts"),
  ]);
  const cache = publishCache(context);
  return buildRelease({
    site: target.site.name,
    source,
    lock,
    base: await ensureBase(context, { base: lock.base, cache, registry: target.registry, insecure }),
    work: join(folder, "work"),
    cache,
    environment,
    hugo: async (version) => {
      const own = await castleHugo(context);
      return own !== undefined && (await hugoVersion(own, environment["PATH"])) === version ? own : undefined;
    },
    livePages,
    allowFewerPages,
    signal,
  });
}

function checkedSource({ env: environment, signal }: Context, site: FoundSite, report: Report) {
  return runStep(report, { id: "publish-source", title: "Source" }, async () => {
    const source = await checkSource({ folder: sourceFolder(site), environment, signal });
    const lock = await readSiteLock(source, { environment, signal });
    return { source, lock, detail: `${source.branch} at ${source.commit.slice(0, 12)}` };
  });
}

/** Paths of a list that a person reads. */
const SHOWN = 10;

function planAnswer(plan: PublishPlan): AnswerOf<"PublishPlan"> {
  const { tag, live, added, changed, gone, push, same, pages, bytes, unlisted } = plan;
  return {
    kind: "PublishPlan",
    data: { ...plan, ...(live === undefined ? {} : { live }) },
    text: [
      same
        ? `${tag} is what the manifests name already`
        : `castle publish would bring ${tag}: ${live ?? "nothing"} is live`,
      `  ${pages} pages, ${kib(bytes)}; ${push.blobs} blobs (${kib(push.bytes)}) would be pushed`,
      ...(unlisted ? ["  the live image does not list its files: all count as added"] : []),
      ...listed("+", added),
      ...listed("~", changed),
      ...listed("-", gone),
    ].join("\n"),
    exit: same ? 0 : 3,
  };
}

function listed(mark: string, paths: readonly string[]): readonly string[] {
  return [
    ...paths.slice(0, SHOWN).map((path) => `  ${mark} ${path}`),
    ...(paths.length > SHOWN ? [`  ${mark} and ${paths.length - SHOWN} more`] : []),
  ];
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
