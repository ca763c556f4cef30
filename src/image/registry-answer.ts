import { CastleError } from "../errors/castle-error.ts";
import { headerText, type RegistryResponse } from "./registry-http.ts";
import { retryAfter } from "./registry-retry.ts";

/** Who answered, for what. */
export interface Asked {
  readonly host: string;
  readonly what: string;
}

/**
 * Passes a response of one of these statuses and turns the others into errors.
 * @throws CastleError image/not-found, image/registry-busy, image/digest-mismatch, image/registry-refused
 */
export async function expectStatus(
  response: RegistryResponse,
  codes: readonly number[],
  { host, what }: Asked,
): Promise<void> {
  const { statusCode, headers } = response;
  if (codes.includes(statusCode)) return;
  const said = (await response.body.text().catch(() => "")).slice(0, 300).trim();
  const message = `${host} answers HTTP ${statusCode} for ${what}${said === "" ? "" : `: ${said}`}`;
  if (statusCode === 404) throw new CastleError("image/not-found", { message: `${host} has no ${what}` });
  if (statusCode === 429 || statusCode >= 500) {
    const wait = retryAfter(headerText(headers["retry-after"]), Date.now());
    throw new CastleError("image/registry-busy", {
      message,
      hint: "run the command again in a while: what is uploaded stays uploaded",
      details: { status: statusCode, ...(wait === undefined ? {} : { retryAfter: wait }) },
    });
  }
  if (/DIGEST_INVALID|SIZE_INVALID/.test(said)) throw new CastleError("image/digest-mismatch", { message });
  throw new CastleError("image/registry-refused", { message, details: { status: statusCode } });
}
