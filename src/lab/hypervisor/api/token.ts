import { createHash, timingSafeEqual } from "node:crypto";
import type { ApiToken } from "../settings.ts";
import { ApiError } from "./api-error.ts";

const SCHEME = "PVEAPIToken=";

/**
 * Lets a call in or ends it with 401. Digests are compared, so that neither content nor length of the secret can be
 * told from the time that the answer takes.
 */
export function authenticate(authorization: string | undefined, token: ApiToken): void {
  if (authorization === undefined) throw new ApiError(401, "No ticket");
  if (!authorization.startsWith(SCHEME)) throw new ApiError(401, "No API token in the Authorization header");
  const given = digest(authorization.slice(SCHEME.length));
  const expected = digest(`${token.id}=${token.secret.reveal()}`);
  if (!timingSafeEqual(given, expected)) throw new ApiError(401, "authentication failure: invalid API token");
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
