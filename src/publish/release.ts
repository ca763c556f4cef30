import type { Descriptor } from "../image/descriptor.ts";

/**
 * The seam of a publication: everything up to a packed image on disk stands before it (source, build, pack), everything
 * from the registry on stands behind it. Plain data.
 */
export interface SourceFacts {
  /** The work tree's root. */
  readonly folder: string;
  /** Forty hex digits. */
  readonly commit: string;
  /** The committer's time, ISO 8601 in UTC to the second. */
  readonly committedAt: string;
  /** First line of the commit's message. */
  readonly subject: string;
  readonly branch: string;
  readonly upstream: { readonly remote: string; readonly url: string; readonly branch: string };
  /** Of all files of the commit, submodules and what Git LFS keeps among them. */
  readonly bytes: number;
  /** What is odd and does no harm, a sentence each. */
  readonly warnings: readonly string[];
}

/** One file that the release serves. */
export interface ReleaseFile {
  /** As in an address, without the leading slash: `posts/quorum/index.html`. */
  readonly path: string;
  /** Hex, of the content as it is; the compressed neighbour is not listed. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Bottom to top: server, its configuration with the release's name, files with a fingerprint, all others. */
export type LayerKind = "base" | "config" | "assets" | "html";

export interface ReleaseLayer extends Descriptor {
  readonly kind: LayerKind;
  /** Digest of the tar itself. */
  readonly diffId: string;
  /** Taken from the cache as an earlier release left it. */
  readonly reused: boolean;
}

/** What one commit became: an OCI layout on disk whose digest is the same on every machine. */
export interface PackedRelease {
  readonly site: string;
  readonly commit: string;
  /** The digits of the tag. */
  readonly shortCommit: string;
  readonly committedAt: string;
  /** `SITE-SHORTCOMMIT`; also what `/healthz` answers and what the header `Castle-Release` says on every answer. */
  readonly tag: string;
  /** Of the image's manifest: `sha256:…`. */
  readonly digest: string;
  /** Folder of the OCI layout (`image-push.ts` takes it). Blobs of the SBOM lie there too. */
  readonly layout: string;
  readonly layers: readonly ReleaseLayer[];
  /** Sorted by path. */
  readonly files: readonly ReleaseFile[];
  /** How many of them are pages (`.html`). */
  readonly pages: number;
  /** Of the manifest and its config: `org.opencontainers.image.*` and castle's own. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Manifest of the SPDX document, an artifact whose `subject` is the image; its blobs are `sbomBlobs`. */
  readonly sbom: Descriptor;
  readonly sbomBlobs: readonly Descriptor[];
  /** The port that its nginx listens on: 8080, or 80 on a base like nginx:stable-alpine. */
  readonly port: number;
  /** Milliseconds: the site's own program; checks, hashes, archives. */
  readonly times: { readonly build: number; readonly pack: number };
}

/**
 * Names of castle's own annotations on the image's manifest, for those who know it from the registry only.
 */
export const releaseAnnotations = {
  pages: "castle.release.pages",
  /** Digest of the SPDX document: one blob, readable without the referrers' API, with every file's hash. */
  sbom: "castle.release.sbom",
  layout: "castle.release.layout",
} as const;

/** Digits of the commit in a tag. Always as many: Git's own short form grows with the repository. */
export const SHORT_COMMIT = 12;

export function releaseTag(site: string, commit: string): string {
  return `${site}-${commit.slice(0, SHORT_COMMIT)}`;
}

/** The commit's digits in a tag of this site, also of the seven that earlier releases had; undefined: no such tag. */
export function commitOfTag(site: string, tag: string): string | undefined {
  if (!tag.startsWith(`${site}-`)) return undefined;
  const digits = tag.slice(site.length + 1);
  return /^[0-9a-f]{7,40}$/.test(digits) ? digits : undefined;
}

/** How a site's pages come about; from `castle.lock`, since the digest hangs on it. */
export type SiteBuild =
  | { readonly kind: "hugo" }
  /** The files are the pages: this folder of the repository, "." for all of it. */
  | { readonly kind: "none"; readonly output: string }
  /** A program with its arguments, run in the exported tree; it leaves the pages in `output`. */
  | { readonly kind: "command"; readonly command: readonly string[]; readonly output: string };

/** `castle.lock` in the site's repository: all that the digest hangs on besides the commit. */
export interface SiteLock {
  /** Number of the way in which castle lays the files out. */
  readonly layout: 1;
  /** `REGISTRY/REPOSITORY@sha256:…` of one platform's manifest, never of an index. */
  readonly base: string;
  /** Exact version, for example 0.169.0; only with `build: hugo`. */
  readonly hugo?: string;
  readonly build: SiteBuild;
  /** "PATH: RULE" of what looks like a secret in the output and is none. */
  readonly notSecret?: readonly string[];
}
