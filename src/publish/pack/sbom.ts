import { z } from "zod";
import type { ReleaseFile, SiteLock, SourceFacts } from "../release.ts";

export interface SbomFacts {
  readonly tag: string;
  readonly source: Pick<SourceFacts, "commit" | "committedAt">;
  readonly lock: SiteLock;
  readonly files: readonly ReleaseFile[];
}

/** What a release is made of, as an SPDX 2.3 document: the base, the generator, and every file with its hash. */
export function sbom({ tag, source, lock, files }: SbomFacts): object {
  const [repository = "", digest = ""] = lock.base.split("@");
  const site = "SPDXRef-Package-site";
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: tag,
    // Unique for what it describes, and made from it: a commit, on a base, in a layout.
    documentNamespace: `urn:castle:release:${tag}:${source.commit}:${digest}:${lock.layout}:${lock.hugo ?? "none"}`,
    creationInfo: { created: source.committedAt, creators: ["Tool: castle"] },
    packages: [
      {
        SPDXID: site,
        name: tag,
        versionInfo: source.commit,
        downloadLocation: "NOASSERTION",
        filesAnalyzed: false,
      },
      {
        SPDXID: "SPDXRef-Package-base",
        name: repository,
        versionInfo: digest,
        downloadLocation: "NOASSERTION",
        filesAnalyzed: false,
        externalRefs: [
          {
            referenceCategory: "PACKAGE-MANAGER",
            referenceType: "purl",
            referenceLocator: `pkg:oci/${repository.split("/").at(-1)}@${encodeURIComponent(digest)}?repository_url=${repository}`,
          },
        ],
      },
      ...(lock.hugo === undefined
        ? []
        : [
            {
              SPDXID: "SPDXRef-Package-hugo",
              name: "hugo",
              versionInfo: lock.hugo,
              downloadLocation: "NOASSERTION",
              filesAnalyzed: false,
              externalRefs: [
                {
                  referenceCategory: "PACKAGE-MANAGER",
                  referenceType: "purl",
                  referenceLocator: `pkg:golang/github.com/gohugoio/hugo@v${lock.hugo}`,
                },
              ],
            },
          ]),
    ],
    files: files.map(({ path, sha256 }, index) => ({
      SPDXID: `SPDXRef-File-${index}`,
      fileName: `./${path}`,
      checksums: [{ algorithm: "SHA256", checksumValue: sha256 }],
    })),
    relationships: [
      relationship("SPDXRef-DOCUMENT", "DESCRIBES", site),
      relationship(site, "DEPENDS_ON", "SPDXRef-Package-base"),
      ...(lock.hugo === undefined ? [] : [relationship("SPDXRef-Package-hugo", "BUILD_TOOL_OF", site)]),
      ...files.map((_, index) => relationship(site, "CONTAINS", `SPDXRef-File-${index}`)),
    ],
  };
}

function relationship(spdxElementId: string, relationshipType: string, relatedSpdxElement: string): object {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

const files = z.object({
  files: z.array(
    z.object({
      fileName: z.string(),
      checksums: z.array(z.object({ algorithm: z.string(), checksumValue: z.string() })),
    }),
  ),
});

/** The files that a release's document lists: path → SHA-256 in hex. @throws ZodError, SyntaxError */
export function filesOfSbom(text: string): ReadonlyMap<string, string> {
  return new Map(
    files
      .parse(JSON.parse(text))
      .files.map(({ fileName, checksums }) => [
        fileName.replace(/^\.\//, ""),
        checksums.find(({ algorithm }) => algorithm === "SHA256")?.checksumValue ?? "",
      ]),
  );
}
