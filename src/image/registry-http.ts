import type { Readable } from "node:stream";
import { type Dispatcher, errors, request } from "undici";
import { CastleError } from "../errors/castle-error.ts";
import type { Secret } from "../support/secret.ts";
import { parseRegistryChallenge, type RegistryChallenge } from "./registry-challenge.ts";

export interface RegistryAccess {
  /** `https://ghcr.io`, or `http://…` for one on the LAN. */
  readonly endpoint: string;
  readonly credentials?: { readonly username: string; readonly password: Secret } | undefined;
  /** How connections are made (a unix socket, a CA of one's own); undici's default unless told. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  /** Below the endpoint, or a whole URL that the registry gave. */
  readonly path: string;
  /** Token scope, `repository:NAME:pull` or `repository:NAME:pull,push`. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called again for each try, since a stream can be read once. */
  readonly body?: () => Readable | Uint8Array;
}

export type RegistryResponse = Dispatcher.ResponseData;

/** Milliseconds of silence after which a registry counts as dead. */
const SILENCE = 30_000;
const REDIRECTS = 5;

/** Requests to one registry: authorization when asked for it, redirects without leaking it. */
export class RegistryHttp {
  readonly #access: RegistryAccess;
  readonly #authorization = new Map<string, string>();

  constructor(access: RegistryAccess) {
    this.#access = access;
  }

  /** @throws CastleError image/registry-unreachable, image/registry-refused (authorization) */
  async send(wanted: RegistryRequest): Promise<RegistryResponse> {
    const first = await this.#follow(wanted);
    if (first.statusCode !== 401) return first;
    await first.body.dump();
    const challenge = parseRegistryChallenge(headerText(first.headers["www-authenticate"]));
    if (challenge === undefined) {
      throw this.#refused("asks for an authorization that castle does not know");
    }
    this.#authorization.set(wanted.scope, await this.#authorize(challenge, wanted.scope));
    const second = await this.#follow(wanted);
    if (second.statusCode === 401 || second.statusCode === 403) {
      await second.body.dump();
      throw this.#refused(`refuses ${wanted.scope} (HTTP ${second.statusCode})`);
    }
    return second;
  }

  async #follow(wanted: RegistryRequest): Promise<RegistryResponse> {
    const origin = new URL(this.#access.endpoint).origin;
    let url = new URL(wanted.path, this.#access.endpoint);
    for (let hop = 0; hop <= REDIRECTS; hop += 1) {
      const authorization = url.origin === origin ? this.#authorization.get(wanted.scope) : undefined;
      const response = await this.#exchange(url, {
        method: wanted.method,
        headers: { ...wanted.headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(wanted.body === undefined ? {} : { body: wanted.body() }),
      });
      const location = headerText(response.headers["location"]);
      if (response.statusCode < 300 || response.statusCode >= 400 || location === "") return response;
      await response.body.dump();
      url = new URL(location, url);
    }
    throw this.#refused(`redirects more than ${REDIRECTS} times`);
  }

  async #authorize(challenge: RegistryChallenge, scope: string): Promise<string> {
    const { credentials } = this.#access;
    const basic =
      credentials === undefined
        ? undefined
        : `Basic ${Buffer.from(`${credentials.username}:${credentials.password.reveal()}`).toString("base64")}`;
    if (challenge.scheme === "basic") {
      if (basic === undefined) throw this.#refused("asks for a user name and password, and none are set");
      return basic;
    }
    const url = new URL(challenge.realm);
    if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
    url.searchParams.set("scope", challenge.scope ?? scope);
    const answer = await this.#exchange(url, {
      method: "GET",
      headers: basic === undefined ? {} : { authorization: basic },
    });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw this.#refused(`gives no token for ${scope} (HTTP ${answer.statusCode} from ${url.host})`);
    }
    const token = tokenOf(await answer.body.json());
    if (token === undefined) throw this.#refused(`sends an answer without a token from ${url.host}`);
    return `Bearer ${token}`;
  }

  async #exchange(
    url: URL,
    options: Omit<Dispatcher.RequestOptions, "path" | "origin">,
  ): Promise<RegistryResponse> {
    const { dispatcher, signal } = this.#access;
    try {
      return await request(url, {
        ...options,
        headersTimeout: SILENCE,
        bodyTimeout: SILENCE,
        ...(dispatcher === undefined ? {} : { dispatcher }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const why = error instanceof Error ? (errorCode(error) ?? error.message) : String(error);
      throw new CastleError("image/registry-unreachable", {
        message: `the registry ${url.host} does not answer: ${why}`,
        hint: "check the network, or build the parts here: castle parts build",
        cause: error,
      });
    }
  }

  #refused(what: string): CastleError {
    const { host } = new URL(this.#access.endpoint);
    return new CastleError("image/registry-refused", { message: `the registry ${host} ${what}` });
  }
}

function errorCode(error: Error): string | undefined {
  if (error instanceof errors.UndiciError) return error.code;
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function tokenOf(answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  if ("token" in answer && typeof answer.token === "string") return answer.token;
  if ("access_token" in answer && typeof answer.access_token === "string") return answer.access_token;
  return undefined;
}

/** Node gives a header as text, or as a list where it came more than once. */
export function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(", ") : (value ?? "");
}
