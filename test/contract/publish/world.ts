import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseImageName } from "../../../src/image/image-name.ts";
import { RegistryClient } from "../../../src/image/registry-client.ts";
import type { StepEvent } from "../../../src/journal/step.ts";
import type { Ancestry, Delivery, DeliveryCluster } from "../../../src/publish/delivery/delivery.ts";
import type { Receipt } from "../../../src/publish/delivery/receipt.ts";
import { publish, type PublishOptions } from "../../../src/publish/publish.ts";
import { type PackedRelease, releaseTag, type SourceFacts } from "../../../src/publish/release.ts";
import { GitRemote } from "../../fixtures/git-remote.ts";
import { packedRelease } from "../../fixtures/packed-release.ts";
import { openFront, type RegistryFront } from "../../fixtures/registry-front.ts";
import type { TestRegistry } from "../../fixtures/registry.ts";

export const SITE = { name: "blog", host: "blog.tazlab.net", image: "registry.lan/tazlab/blog" };
export const MANIFEST = "clusters/fortress/blog.yaml";

/** Commits of the site, each before the next; `side` leaves the line after `first`. */
export const COMMITS = {
  first: "1111111111111111111111111111111111111111",
  second: "2222222222222222222222222222222222222222",
  third: "3333333333333333333333333333333333333333",
  side: "5555555555555555555555555555555555555555",
} as const;

const LINE: readonly string[] = [COMMITS.first, COMMITS.second, COMMITS.third];

const place = (digits: string) => LINE.findIndex((commit) => commit.startsWith(digits));
const isSide = (digits: string) => COMMITS.side.startsWith(digits);

/** The site's history, as its repository would tell it. */
const ancestry: Ancestry = async (one, other) => {
  if (isSide(one)) return isSide(other) ? "ancestor" : "other";
  if (isSide(other)) return place(one) === 0 ? "ancestor" : "other";
  if (place(one) < 0 || place(other) < 0) return "unknown";
  return place(one) <= place(other) ? "ancestor" : "other";
};

export function manifest(image: string): string {
  return `# The blog
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: site-blog }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: ${image} # written by castle
          ports: [{ name: http, containerPort: 8080 }]
`;
}

/** A real registry behind a front, a real Git remote, and a site's releases: all that a release needs but a cluster. */
export class World {
  readonly registry: TestRegistry;
  readonly front: RegistryFront;
  readonly remote: GitRemote;
  readonly folder: string;
  readonly events: StepEvent[] = [];
  #packs = 0;

  private constructor(registry: TestRegistry, front: RegistryFront, remote: GitRemote, folder: string) {
    this.registry = registry;
    this.front = front;
    this.remote = remote;
    this.folder = folder;
  }

  /** @param image what the manifest names at first, tag and all */
  static async open(registry: TestRegistry, image = `${SITE.image}:blog-0000000`): Promise<World> {
    const remote = await GitRemote.create();
    await remote.commit({ [MANIFEST]: manifest(image) });
    const folder = await mkdtemp(join(tmpdir(), "castle-publish-"));
    return new World(registry, await openFront(registry.endpoint), remote, folder);
  }

  async close(): Promise<void> {
    await this.front.close();
    await this.remote.remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Each world has a repository of its own in the registry that they share. */
  get repository(): string {
    return `${this.folder.slice(this.folder.lastIndexOf("-") + 1).toLowerCase()}/blog`;
  }

  async delivery(more: Partial<Delivery> = {}): Promise<Delivery> {
    return {
      site: SITE,
      image: { ...parseImageName(SITE.image), repository: this.repository },
      registry: new RegistryClient({ endpoint: this.front.endpoint }),
      pull: undefined,
      manifests: { repository: await this.remote.open(), folder: "clusters/fortress" },
      cluster: undefined,
      visit: undefined,
      ancestry,
      report: (event) => void this.events.push(event),
      now: () => new Date(),
      patience: 20_000,
      signal: new AbortController().signal,
      ...more,
    };
  }

  packed(commit: string, pages = defaultPages(commit)): Promise<PackedRelease> {
    this.#packs += 1;
    // Two publications at once build in folders of their own.
    return packedRelease(join(this.folder, String(this.#packs)), { site: SITE.name, commit, pages });
  }

  options(commit: string, more: Partial<PublishOptions> = {}): PublishOptions {
    return { source: sourceFacts(commit), build: () => this.packed(commit), autoRollback: false, ...more };
  }

  async publish(commit: string, cluster?: DeliveryCluster): Promise<Receipt> {
    return publish(await this.delivery({ cluster }), this.options(commit));
  }

  /** The manifest as the branch has it. */
  manifest(): Promise<string> {
    return this.remote.git("show", `main:${MANIFEST}`);
  }

  tags(): Promise<readonly string[]> {
    return this.registry.client.tags(this.repository);
  }
}

export const tagOf = (commit: string) => releaseTag(SITE.name, commit);

export function defaultPages(commit: string): Record<string, string> {
  return {
    "index.html": `<h1>${commit.slice(0, 7)}</h1>`,
    "posts/quorum/index.html": "<h1>Quorum</h1>",
    "app.0123456789abcdef.css": "body{}",
    "404.html": "<h1>Not here</h1>",
  };
}

export function sourceFacts(commit: string): SourceFacts {
  return {
    folder: "/nonexistent",
    commit,
    committedAt: "2026-01-31T06:00:00Z",
    subject: "A post on quorum",
    branch: "main",
    upstream: { remote: "origin", url: "https://git.lan/blog-src.git", branch: "main" },
    bytes: 1000,
    warnings: [],
  };
}
