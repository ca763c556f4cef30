import { CastleError } from "../../errors/castle-error.ts";
import { showsRelease } from "../../gitops/edit/image-edit.ts";
import type { Delivery, ReleaseName } from "./delivery.ts";
import { readLivePlace } from "./manifest-place.ts";

/**
 * Judges the revisions that Flux shows: ours, or one that came after and still holds our release, is what we wait for.
 * A judgement is remembered, since Flux is asked many times about one revision.
 */
export class RevisionJudge {
  readonly #delivery: Delivery;
  readonly #release: ReleaseName;
  readonly #commit: string;
  readonly #known = new Map<string, Promise<boolean>>();

  constructor(delivery: Delivery, release: ReleaseName, commit: string) {
    this.#delivery = delivery;
    this.#release = release;
    this.#commit = commit;
    this.#known.set(commit, Promise.resolve(true));
  }

  /** @throws CastleError publish/superseded */
  holds(revision: string | undefined): Promise<boolean> {
    if (revision === undefined) return Promise.resolve(false);
    const known = this.#known.get(revision) ?? this.#judge(revision);
    this.#known.set(revision, known);
    return known;
  }

  async #judge(revision: string): Promise<boolean> {
    const { repository } = this.#delivery.manifests;
    await repository.fetchTip();
    if (!(await repository.isAncestor(this.#commit, revision))) {
      // Either it comes before ours, or it is of a branch that was rewritten meanwhile.
      if (await repository.isAncestor(revision, this.#commit)) return false;
      this.#known.delete(revision);
      return false;
    }
    const { place } = await readLivePlace(this.#delivery, { commit: revision });
    if (showsRelease(place, this.#release)) return true;
    throw new CastleError("publish/superseded", {
      message: `${this.#release.tag} was superseded: ${revision.slice(0, 12)} came after it and names ${place.tag ?? place.digest ?? "another image"}`,
      hint: "castle releases shows what is live",
      details: { revision, commit: this.#commit, tag: place.tag },
    });
  }
}
