import { setTimeout as delay } from "node:timers/promises";
import { fetch, type Response } from "undici";
import { CastleError } from "../../../errors/castle-error.ts";
import { type S3Credentials, type S3Request, signedHeaders, strictlyEncoded } from "./signature.ts";

export interface S3Place {
  /** https://host:port, without a path. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: S3Credentials;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export interface S3Answer {
  readonly status: number;
  readonly bytes: Buffer;
}

/** Milliseconds that one call may take, which may carry a whole backup. */
const DEADLINE = 300_000;
/** Milliseconds before the second and the third try of a call that nobody answered, or a server that was busy. */
const AGAIN = [200, 1_000] as const;

/** The few calls of S3 that backups need, each signed; the bucket stands in the path, as every server takes it. */
export class S3Client {
  readonly #place: S3Place;

  constructor(place: S3Place) {
    this.#place = place;
  }

  /**
   * Any answer but a refusal; 404 is one.
   * @param key undefined: the bucket itself
   * @throws CastleError backup/place, command/interrupted
   */
  async call(
    method: S3Request["method"],
    key: string | undefined,
    {
      query = {},
      body,
    }: { readonly query?: Readonly<Record<string, string>>; readonly body?: Uint8Array } = {},
  ): Promise<S3Answer> {
    const { endpoint, bucket } = this.#place;
    const path = [bucket, ...(key?.split("/") ?? [])].map(strictlyEncoded).join("/");
    const url = new URL(`${endpoint}/${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    for (const again of [...AGAIN, undefined]) {
      const answer = await this.#once({ method, url, body }).catch((error: unknown) => {
        this.#place.signal.throwIfAborted();
        return { cause: error };
      });
      if ("status" in answer && (answer.status < 300 || answer.status === 404)) return answer;
      const failure = "status" in answer ? this.#refused(method, url, answer) : this.#silent(answer.cause);
      if (again === undefined || ("status" in answer && answer.status < 500)) throw failure;
      await delay(again, undefined, { signal: this.#place.signal });
    }
    throw new Error("the last try ends the loop");
  }

  async #once(request: S3Request): Promise<S3Answer> {
    const { credentials, now, signal } = this.#place;
    const headers = signedHeaders(request, credentials, now());
    const response: Response = await fetch(request.url, {
      method: request.method,
      headers,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE)]),
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
  }

  #silent(cause: unknown): CastleError {
    return new CastleError("backup/place", {
      message: `${this.#place.endpoint} does not answer: ${reason(cause)}`,
      hint: "AWS_ENDPOINT_URL_S3 names the server, AWS_REGION its region",
      cause,
    });
  }

  #refused(method: string, url: URL, { status, bytes }: S3Answer): CastleError {
    const { endpoint, bucket } = this.#place;
    const text = bytes.toString("utf8");
    const said = [element(text, "Code"), element(text, "Message")].filter((part) => part !== undefined);
    return new CastleError("backup/place", {
      message: `${endpoint} refuses ${method} in bucket ${bucket}: ${status}${said.length === 0 ? "" : ` ${said.join(": ")}`}`,
      hint: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say who asks, AWS_REGION where the bucket is",
      details: { status, path: url.pathname },
    });
  }
}

/** The text of the first XML element of that name. */
export function element(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text === undefined ? undefined : unescaped(text);
}

function unescaped(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
