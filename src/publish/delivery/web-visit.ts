import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { isIP } from "node:net";
import { CastleError } from "../../errors/castle-error.ts";
import type { Visit } from "./visit.ts";

export interface WebAddress {
  readonly host: string;
  readonly secure: boolean;
  /** Where it is reached from here, where DNS does not lead there. */
  readonly at?: { readonly host: string; readonly port: number } | undefined;
  /** PEM of whom to trust instead of the public authorities. */
  readonly ca?: string | undefined;
  /** False: the authority is one that nobody trusts, and only the bytes are looked at. */
  readonly verified?: boolean;
}

/** Milliseconds that one answer may take. */
const ANSWER = 5_000;

/** A visitor without a cache. */
export function webVisit({ host, secure, at, ca, verified = true }: WebAddress): Visit {
  const request = secure ? secureRequest : plainRequest;
  return (path, signal) =>
    new Promise((resolve, reject) => {
      const asked = request({
        host: at?.host ?? host,
        port: at?.port ?? (secure ? 443 : 80),
        path,
        headers: { host },
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER)]),
        ...(secure
          ? {
              rejectUnauthorized: verified,
              ...(isIP(host) === 0 ? { servername: host } : {}),
              ...(ca === undefined ? {} : { ca }),
            }
          : {}),
      });
      const failed = (cause: Error) =>
        reject(
          signal.aborted
            ? new CastleError("command/interrupted", { message: "the visit was interrupted", cause })
            : new CastleError("publish/wrong-bytes", {
                message: `${secure ? "https" : "http"}://${host}${path} does not answer: ${cause.message}`,
                hint: "castle publish --resume proves again",
                cause,
              }),
        );
      asked.on("error", failed);
      asked.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", failed);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            bytes: Buffer.concat(chunks),
            header: (name) => {
              const value = response.headers[name];
              return Array.isArray(value) ? value[0] : value;
            },
          }),
        );
      });
      asked.end();
    });
}
