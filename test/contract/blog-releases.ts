import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CastleError } from "../../src/errors/castle-error.ts";
import { readLayoutImage } from "../../src/image/layout-image.ts";
import { platformVersions } from "../../src/lab/parts/platform-versions.ts";
import { buildRelease, type ReleaseOptions } from "../../src/publish/build-release.ts";
import { planSiteLock } from "../../src/publish/lock/plan-site-lock.ts";
import { readSiteLock } from "../../src/publish/lock/read-site-lock.ts";
import type { PackedRelease } from "../../src/publish/release.ts";
import { checkSource } from "../../src/publish/source/check-source.ts";
import { exampleBlog } from "../fixtures/example-blog.ts";
import type { SiteSource } from "../fixtures/site-source.ts";

const VERSION = platformVersions.hugo.slice(1);

/** The example blog as a repository, and releases of its commits on castle's own base. */
export class BlogReleases {
  readonly source: SiteSource;
  readonly #hugo: string;
  readonly #base: string;
  #runs = 0;

  private constructor(source: SiteSource, hugo: string, base: string) {
    this.source = source;
    this.#hugo = hugo;
    this.#base = base;
  }

  static async create(hugo: string, base: string): Promise<BlogReleases> {
    const blog = new BlogReleases(await exampleBlog(), hugo, base);
    const { digest } = (await readLayoutImage(base)).manifest.descriptor;
    const reference = `registry.lan/castle/nginx@${digest}`;
    const plan = await planSiteLock({ folder: blog.source.folder, base: reference, hugo: VERSION });
    await writeFile(plan.path, plan.text);
    await blog.commit({});
    return blog;
  }

  async commit(files: Readonly<Record<string, string>>): Promise<void> {
    await this.source.commit(files);
    await this.source.git("push", "-q");
  }

  async release(more: Partial<ReleaseOptions> = {}): Promise<PackedRelease> {
    this.#runs += 1;
    const access = { environment: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/nonexistent" } };
    const source = await checkSource({ ...access, folder: this.source.folder });
    return buildRelease({
      site: "blog",
      source,
      lock: await readSiteLock(source, access),
      base: this.#base,
      work: join(this.source.home, `work-${this.#runs}`),
      cache: join(this.source.home, "cache"),
      hugo: (version) => Promise.resolve(version === VERSION ? this.#hugo : undefined),
      ...access,
      ...more,
    });
  }

  /** What a build of these files says; they are taken back afterwards. */
  async refusal(files: Readonly<Record<string, string>>): Promise<CastleError> {
    await this.commit(files);
    try {
      return await this.release().then(
        () => Promise.reject(new Error("the build was accepted")),
        (error: CastleError) => error,
      );
    } finally {
      await this.source.git("revert", "--no-edit", "HEAD");
      await this.source.git("push", "-q");
    }
  }
}
