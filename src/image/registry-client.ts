import type { Readable } from "node:stream";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { type BlobUpload, type Uploaded, uploadBlob } from "./blob-upload.ts";
import { type Descriptor, mediaTypes } from "./descriptor.ts";
import { expectStatus } from "./registry-answer.ts";
import { headerText, type RegistryAccess, RegistryHttp, type RegistryResponse } from "./registry-http.ts";
import { sha256 } from "../support/sha256.ts";

/** A manifest or index as the registry holds it: the digest is that of exactly these bytes. */
export interface RegistryManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const accept = [mediaTypes.manifest, mediaTypes.index, mediaTypes.dockerManifest, mediaTypes.dockerList].join(
  ", ",
);

const tagsShape = z.object({ tags: z.array(z.string()).nullish() });
/** Of a thousand tags each. */
const MOST_PAGES = 50;

/** The calls of the OCI distribution protocol that pulling and pushing an image needs. */
export class RegistryClient {
  readonly #http: RegistryHttp;

  constructor(access: RegistryAccess) {
    this.#http = new RegistryHttp(access);
  }

  /** For people: the registry's host. */
  get host(): string {
    return this.#http.host;
  }

  /** Loads what the first call needs: whoever waits for something else has time for it now. */
  prepare(): Promise<void> {
    return this.#http.prepare();
  }

  /** @throws CastleError image/not-found, image/digest-mismatch, image/registry-* */
  async manifest(repository: string, reference: string): Promise<RegistryManifest> {
    const response = await this.#http.send({
      method: "GET",
      path: `/v2/${repository}/manifests/${reference}`,
      scope: `repository:${repository}:pull`,
      headers: { accept },
    });
    await this.#expect(response, [200], `${repository}:${reference}`);
    const bytes = new Uint8Array(await response.body.arrayBuffer());
    const digest = `sha256:${sha256(bytes)}`;
    if (reference.startsWith("sha256:") && reference !== digest) {
      throw new CastleError("image/digest-mismatch", {
        message: `${this.host} sent ${digest} for ${repository}@${reference}`,
      });
    }
    const mediaType = headerText(response.headers["content-type"]).split(";")[0] ?? mediaTypes.manifest;
    return { bytes, descriptor: { mediaType, digest, size: bytes.byteLength } };
  }

  /** The digest behind a tag; undefined if there is none. */
  async digest(repository: string, reference: string): Promise<string | undefined> {
    try {
      return (await this.manifest(repository, reference)).descriptor.digest;
    } catch (error) {
      if (error instanceof CastleError && error.code === "image/not-found") return undefined;
      throw error;
    }
  }

  /** The content of a blob, unverified: the reader has to hash it. */
  async blob(repository: string, digest: string): Promise<Readable> {
    const response = await this.#http.send({
      method: "GET",
      path: `/v2/${repository}/blobs/${digest}`,
      scope: `repository:${repository}:pull`,
    });
    await this.#expect(response, [200], `${repository}@${digest}`);
    return response.body;
  }

  async hasBlob(repository: string, digest: string): Promise<boolean> {
    const response = await this.#http.send({
      method: "HEAD",
      path: `/v2/${repository}/blobs/${digest}`,
      scope: `repository:${repository}:pull,push`,
    });
    await this.#expect(response, [200, 404], `${repository}@${digest}`);
    await response.body.dump();
    return response.statusCode === 200;
  }

  /** @throws CastleError image/registry-*, image/digest-mismatch */
  pushBlob(upload: BlobUpload): Promise<Uploaded> {
    return uploadBlob(this.#http, upload);
  }

  /**
   * Whether a push would be let in: opens an upload and cancels it.
   * @throws CastleError image/registry-refused, naming the credentials that were tried
   */
  async checkWritable(repository: string): Promise<void> {
    const scope = `repository:${repository}:pull,push`;
    const start = await this.#http.send({ method: "POST", path: `/v2/${repository}/blobs/uploads/`, scope });
    await this.#expect(start, [202], repository);
    await start.body.dump();
    const path = headerText(start.headers["location"]);
    // Not every registry can cancel; one that cannot forgets by itself.
    const cancelled = await this.#http.send({ method: "DELETE", path, scope });
    await cancelled.body.dump();
  }

  /** All tags, sorted; none if there is no such repository. */
  async tags(repository: string): Promise<readonly string[]> {
    const found: string[] = [];
    let path: string | undefined = `/v2/${repository}/tags/list?n=1000`;
    for (let page = 0; path !== undefined && page < MOST_PAGES; page += 1) {
      const response: RegistryResponse = await this.#http.send({
        method: "GET",
        path,
        scope: `repository:${repository}:pull`,
      });
      if (response.statusCode === 404) {
        await response.body.dump();
        break;
      }
      await this.#expect(response, [200], `${repository}'s tags`);
      const { tags } = tagsShape.parse(await response.body.json());
      found.push(...(tags ?? []));
      path = /<([^>]+)>;\s*rel="?next/.exec(headerText(response.headers["link"]))?.[1];
    }
    return found.sort();
  }

  /** @returns whether the registry lists what has a `subject` by itself, as the referrers' API says */
  async pushManifest(repository: string, reference: string, manifest: RegistryManifest): Promise<boolean> {
    const response = await this.#http.send({
      method: "PUT",
      path: `/v2/${repository}/manifests/${reference}`,
      scope: `repository:${repository}:pull,push`,
      headers: { "content-type": manifest.descriptor.mediaType },
      body: () => manifest.bytes,
    });
    await this.#expect(response, [201], `${repository}:${reference}`);
    await response.body.dump();
    return response.headers["oci-subject"] !== undefined;
  }

  #expect(response: RegistryResponse, codes: readonly number[], what: string): Promise<void> {
    return expectStatus(response, codes, { host: this.host, what });
  }
}
