import { CastleError } from "../../errors/castle-error.ts";
import { commitToTip, type Plan } from "../../gitops/commit-to-tip.ts";
import { showsRelease, writeImage } from "../../gitops/edit/image-edit.ts";
import { recordEdit } from "../../gitops/record-edit.ts";
import type { Tip } from "../../gitops/repository.ts";
import type { Delivery, ReleaseName } from "./delivery.ts";
import { type LivePlace, readLivePlace } from "./manifest-place.ts";

export interface CommitWish {
  readonly release: ReleaseName;
  readonly kind: "publish" | "rollback";
  /** First line of the site's commit, for people. */
  readonly subject?: string | undefined;
  /** Whether the release may follow what a tip says is live; asked again for every tip. @throws CastleError */
  readonly guard: (live: LivePlace) => Promise<void>;
  /** The manifests' last commit as of a moment ago, and what it says is live. */
  readonly seen?: { readonly tip: Tip; readonly live: LivePlace } | undefined;
}

export interface ManifestCommit {
  /** The commit of the manifests that names the release. */
  readonly commit: string;
  /** What stood there before; undefined: this release already, or none. */
  readonly previous: string | undefined;
  /** False: it stood there already, and no commit was made. */
  readonly pushed: boolean;
  readonly file: string;
  readonly place: LivePlace["place"];
}

/** Names of the trailers by which a release is found again in Git's history. */
export const TRAILERS = {
  site: "Castle-Site",
  source: "Castle-Source",
  image: "Castle-Image",
  digest: "Castle-Digest",
  previous: "Castle-Previous",
} as const;

/**
 * The one point at which a release becomes the wanted one: a commit on whatever tip the branch has.
 * @throws CastleError gitops/…, publish/…
 */
export async function commitRelease(delivery: Delivery, wish: CommitWish): Promise<ManifestCommit> {
  const { manifests, site } = delivery;
  const { release } = wish;
  let seen: LivePlace | undefined;
  const plan = async (tip: Tip): Promise<Plan<never>> => {
    const live = tip === wish.seen?.tip ? wish.seen.live : await readLivePlace(delivery, tip);
    seen = live;
    if (showsRelease(live.place, release)) return { kind: "unchanged" };
    await wish.guard(live);
    const content = writeImage(live.file, live.place, release, live.isPlaceholder ? site.image : undefined);
    const files = new Map<string, Uint8Array>([[live.file.path, content]]);
    for (const [path, bytes] of await recorded(delivery, tip, live, content)) files.set(path, bytes);
    return { kind: "change", change: { files, message: message(site, wish, live) } };
  };
  const outcome = await commitToTip(manifests.repository, plan, wish.seen?.tip);
  if (outcome.kind === "refused") throw outcome.reason;
  if (seen === undefined || outcome.commit === undefined) {
    throw new CastleError("gitops/image-missing", {
      message: `${manifests.repository.remote.url} is empty: no manifest names the image ${site.image}`,
      hint: "commit a manifest that runs this image to the GitOps repository",
    });
  }
  return {
    commit: outcome.commit,
    previous: outcome.kind === "pushed" ? shown(seen) : undefined,
    pushed: outcome.kind === "pushed",
    file: seen.place.file,
    place: seen.place,
  };
}

/** A castle's generated folder keeps a record of what castle wrote there; this is castle's writing as well. */
function recorded(
  { manifests }: Delivery,
  tip: Tip,
  live: LivePlace,
  content: Uint8Array,
): Promise<ReadonlyMap<string, Uint8Array>> {
  return recordEdit(manifests.repository, tip, {
    path: live.file.path,
    before: live.file.bytes,
    after: content,
  });
}

function message(
  { name, image }: Delivery["site"],
  { release, kind, subject }: CommitWish,
  live: LivePlace,
): string {
  const { commit, tag, digest } = release;
  const title = kind === "publish" ? `${name}: release ${tag}` : `${name}: back to ${tag}`;
  const about =
    subject === undefined || subject === "" ? "" : `${subject.replaceAll(/\s+/g, " ").slice(0, 200)}\n\n`;
  const trailers = [
    `${TRAILERS.site}: ${name}`,
    `${TRAILERS.source}: ${commit}`,
    `${TRAILERS.image}: ${image}:${tag}`,
    `${TRAILERS.digest}: ${digest}`,
    `${TRAILERS.previous}: ${shown(live) ?? "none"}`,
  ];
  return `${title}\n\n${about}${trailers.join("\n")}\n`;
}

function shown({ tag, digest }: LivePlace): string | undefined {
  if (tag === undefined) return digest;
  return digest === undefined ? tag : `${tag}@${digest}`;
}
