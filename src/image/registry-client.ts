import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { CastleError } from "../errors/castle-error.ts";
import { type Descriptor, mediaTypes } from "./descriptor.ts";
import { headerText, type RegistryAccess, RegistryHttp, type RegistryResponse } from "./registry-http.ts";

/** A manifest or index as the registry holds it: the digest is that of exactly these bytes. */
export interface RegistryManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const accept = [mediaTypes.manifest, mediaTypes.index, mediaTypes.dockerManifest, mediaTypes.dockerList].join(
  ", ",
);

/** The calls of the OCI distribution protocol that pulling and pushing an image needs. */
export class RegistryClient {
  readonly #http: RegistryHttp;
  readonly #host: string;

  constructor(access: RegistryAccess) {
    this.#http = new RegistryHttp(access);
    this.#host = new URL(access.endpoint).host;
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
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (reference.startsWith("sha256:") && reference !== digest) {
      throw new CastleError("image/digest-mismatch", {
        message: `${this.#host} sent ${digest} for ${repository}@${reference}`,
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
    await response.body.dump();
    return response.statusCode === 200;
  }

  /** Uploads a blob in one piece; the registry verifies the digest. */
  async pushBlob(repository: string, { digest, size }: Descriptor, content: () => Readable): Promise<void> {
    const scope = `repository:${repository}:pull,push`;
    const what = `${repository}@${digest}`;
    const start = await this.#http.send({ method: "POST", path: `/v2/${repository}/blobs/uploads/`, scope });
    await this.#expect(start, [202], what);
    await start.body.dump();
    const location = headerText(start.headers["location"]);
    const separator = location.includes("?") ? "&" : "?";
    const done = await this.#http.send({
      method: "PUT",
      path: `${location}${separator}digest=${encodeURIComponent(digest)}`,
      scope,
      headers: { "content-type": "application/octet-stream", "content-length": String(size) },
      body: content,
    });
    await this.#expect(done, [201], what);
    await done.body.dump();
  }

  async pushManifest(repository: string, reference: string, manifest: RegistryManifest): Promise<void> {
    const response = await this.#http.send({
      method: "PUT",
      path: `/v2/${repository}/manifests/${reference}`,
      scope: `repository:${repository}:pull,push`,
      headers: { "content-type": manifest.descriptor.mediaType },
      body: () => manifest.bytes,
    });
    await this.#expect(response, [201], `${repository}:${reference}`);
    await response.body.dump();
  }

  async #expect(response: RegistryResponse, codes: readonly number[], what: string): Promise<void> {
    if (codes.includes(response.statusCode)) return;
    const said = (await response.body.text()).slice(0, 300).trim();
    if (response.statusCode === 404) {
      throw new CastleError("image/not-found", { message: `${this.#host} has no ${what}` });
    }
    throw new CastleError("image/registry-refused", {
      message: `${this.#host} answers HTTP ${response.statusCode} for ${what}${said === "" ? "" : `: ${said}`}`,
    });
  }
}
