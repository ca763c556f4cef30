import type { Readable } from "node:stream";
import { CastleError } from "../errors/castle-error.ts";
import type { Descriptor } from "./descriptor.ts";
import { expectStatus } from "./registry-answer.ts";
import { headerText, type RegistryHttp, type RegistryResponse } from "./registry-http.ts";
import { type RetryOptions, withRetries } from "./registry-retry.ts";

export interface BlobUpload extends RetryOptions {
  readonly repository: string;
  readonly blob: Descriptor;
  /** The blob's bytes from an offset on, up to one before `end`. */
  readonly content: (start: number, end: number) => Readable;
  /** A repository of the same registry that may have the blob: then no byte travels. */
  readonly mountFrom?: string | undefined;
}

export type Uploaded = "uploaded" | "mounted";

/** Bytes of one request: what was lost in the middle of it is sent again, not what came before. */
const CHUNK = 8 * 1024 * 1024;

/**
 * Uploads one blob, whose digest the registry verifies; what a broken connection interrupted goes on where the
 * registry says that it is.
 * @throws CastleError image/registry-*, image/digest-mismatch
 */
export function uploadBlob(http: RegistryHttp, upload: BlobUpload): Promise<Uploaded> {
  const running = new Running(http, upload);
  return withRetries(() => running.run(), upload);
}

class Running {
  readonly #http: RegistryHttp;
  readonly #upload: BlobUpload;
  readonly #scope: string;
  readonly #what: string;
  /** Where the registry keeps what it has of the blob, until it loses it. */
  #location: string | undefined;
  #offset = 0;

  constructor(http: RegistryHttp, upload: BlobUpload) {
    const { repository, blob, mountFrom } = upload;
    this.#http = http;
    this.#upload = upload;
    const from = mountFrom === undefined ? "" : ` repository:${mountFrom}:pull`;
    this.#scope = `repository:${repository}:pull,push${from}`;
    this.#what = `${repository}@${blob.digest}`;
  }

  async run(): Promise<Uploaded> {
    if (!(await this.#resume()) && (await this.#start()) === "mounted") return "mounted";
    const { size } = this.#upload.blob;
    while (size - this.#offset > CHUNK) await this.#send("PATCH", this.#offset + CHUNK);
    try {
      await this.#send("PUT", size);
    } catch (error) {
      // The registry throws away what does not have the digest.
      if (error instanceof CastleError && error.code === "image/digest-mismatch") this.#location = undefined;
      throw error;
    }
    return "uploaded";
  }

  /** Whether an upload of an earlier try is still there; asks how far it came. */
  async #resume(): Promise<boolean> {
    if (this.#location === undefined) return false;
    const response = await this.#http.send({ method: "GET", path: this.#location, scope: this.#scope });
    await response.body.dump();
    const end = /-(\d+)$/.exec(headerText(response.headers["range"]))?.[1];
    if (response.statusCode !== 204 || end === undefined) {
      this.#location = undefined;
      return false;
    }
    // Of nothing the registry says 0-0, as of one byte.
    this.#offset = end === "0" ? 0 : Number(end) + 1;
    this.#follow(response);
    return true;
  }

  async #start(): Promise<"started" | "mounted"> {
    const { repository, blob, mountFrom } = this.#upload;
    const query =
      mountFrom === undefined
        ? ""
        : `?${new URLSearchParams({ mount: blob.digest, from: mountFrom }).toString()}`;
    const response = await this.#http.send({
      method: "POST",
      path: `/v2/${repository}/blobs/uploads/${query}`,
      scope: this.#scope,
    });
    await this.#expect(response, [201, 202]);
    await response.body.dump();
    if (response.statusCode === 201) return "mounted";
    this.#offset = 0;
    this.#follow(response);
    return "started";
  }

  async #send(method: "PATCH" | "PUT", end: number): Promise<void> {
    const { blob, content } = this.#upload;
    const [start, location] = [this.#offset, this.#location ?? ""];
    const digest = `${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(blob.digest)}`;
    const response = await this.#http.send({
      method,
      path: method === "PUT" ? `${location}${digest}` : location,
      scope: this.#scope,
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(end - start),
        ...(end === start ? {} : { "content-range": `${start}-${end - 1}` }),
      },
      ...(end === start ? {} : { body: () => content(start, end) }),
    });
    await this.#expect(response, method === "PUT" ? [201] : [202]);
    await response.body.dump();
    this.#offset = end;
    if (method === "PATCH") this.#follow(response);
  }

  #follow(response: RegistryResponse): void {
    this.#location = headerText(response.headers["location"]) || this.#location;
  }

  #expect(response: RegistryResponse, codes: readonly number[]): Promise<void> {
    return expectStatus(response, codes, { host: this.#http.host, what: this.#what });
  }
}
