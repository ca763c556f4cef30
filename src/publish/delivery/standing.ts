/** What the world has of a release so far: every failure ends with it. */
export class Standing {
  /** Tag that the manifests named before; undefined: none of this site. */
  live: string | undefined;
  /** Where the image lies, once its tag does. */
  pushed: string | undefined;
  /** The commit in the GitOps repository, once it is there. */
  committed: string | undefined;
  readonly #release: string;

  constructor(release: string) {
    this.#release = release;
  }

  /** One or two sentences for people. */
  text(): string {
    const before =
      this.live === undefined ? "no release of this site was live before" : `${this.live} stays live`;
    if (this.committed !== undefined) {
      return `${this.#release} is committed (${this.committed.slice(0, 12)}), not verified: the cluster may serve it, or still ${this.live ?? "what it had"}`;
    }
    if (this.pushed !== undefined) {
      return `${this.#release} is in the registry and not in the GitOps repository: ${before}`;
    }
    return `${this.#release} is not live and nothing was changed: ${before}`;
  }
}
