import type { Secret } from "../../support/secret.ts";

/** What the platform is made from on this machine; put together by the command line. */
export interface PlatformMaterials {
  /** Folders of the upstream projects' own YAML, by the name of their part. */
  readonly manifests: Readonly<Record<string, string>>;
  /** The page of a site that was never published: its folder, and the OCI layout that it is put on. */
  readonly placeholder: { readonly pages: string; readonly base: string };
  /** What castle's own Git is run with: PATH, HOME, proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where alerts go, where that is told outside of the spec. */
  readonly webhook?: Secret | undefined;
  /** For an HTTPS repository: USER:TOKEN or a token; undefined: the secret store's. */
  readonly gitToken?: Secret | undefined;
  /** Write over what somebody changed by hand in castle's generated folder. */
  readonly overwrite: boolean;
}
