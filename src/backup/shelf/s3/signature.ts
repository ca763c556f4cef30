import { createHmac } from "node:crypto";
import type { Secret } from "../../../support/secret.ts";
import { sha256 } from "../../../support/sha256.ts";

export interface S3Credentials {
  readonly accessKey: string;
  readonly secretKey: Secret;
  /** Of credentials for a while. */
  readonly sessionToken?: Secret | undefined;
  readonly region: string;
}

export interface S3Request {
  readonly method: "GET" | "PUT" | "DELETE";
  readonly url: URL;
  /** Further headers that are signed as well, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
}

/**
 * The headers that show an S3 server who asks, by AWS' Signature Version 4. Source: Amazon S3 API Reference,
 * "Authenticating Requests: Using the Authorization Header", whose examples this is tested with.
 */
export function signedHeaders(
  { method, url, headers = {}, body = new Uint8Array() }: S3Request,
  { accessKey, secretKey, sessionToken, region }: S3Credentials,
  now: Date,
): Readonly<Record<string, string>> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const hash = sha256(body);
  const signed: Readonly<Record<string, string>> = {
    ...headers,
    host: url.host,
    "x-amz-content-sha256": hash,
    "x-amz-date": time,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken.reveal() }),
  };
  const names = Object.keys(signed).toSorted();
  const canonical = [
    method,
    url.pathname,
    query(url),
    ...names.map((name) => `${name}:${signed[name]?.trim()}`),
    "",
    names.join(";"),
    hash,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = scope
    .split("/")
    .reduce<string | Buffer>((inner, word) => hmac(inner, word), `AWS4${secretKey.reveal()}`);
  const signature = hmac(key, text).toString("hex");
  const credential = `Credential=${accessKey}/${scope}`;
  return {
    ...signed,
    authorization: `AWS4-HMAC-SHA256 ${credential},SignedHeaders=${names.join(";")},Signature=${signature}`,
  };
}

/** Sorted by name; blanks as %20, which URLSearchParams would write as a plus. */
function query(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => `${strictlyEncoded(name)}=${strictlyEncoded(value)}`)
    .toSorted()
    .join("&");
}

/** All but letters, digits and -._~ */
export function strictlyEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
