import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { CastleError } from "../errors/castle-error.ts";
import { parseRegistryChallenge, type RegistryChallenge } from "./registry-challenge.ts";
import type { RegistryCredentials } from "./registry-credentials.ts";

export interface RegistryAccess {
  /** `https://ghcr.io`, or `http://…` for one on the LAN. */
  readonly endpoint: string;
  readonly credentials?: RegistryCredentials | undefined;
  /** Where the credentials are from, or where none were found: a refusal names it. */
  readonly credentialSource?: string | undefined;
  /** How connections are made (a unix socket, a CA of one's own); undici's default unless told. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RegistryRequest {
  readonly method: "DELETE" | "GET" | "HEAD" | "PATCH" | "POST" | "PUT";
  /** Below the endpoint, or a whole URL that the registry gave. */
  readonly path: string;
  /** Token scope, `repository:NAME:pull` or `repository:NAME:pull,push`; several with a space between. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called again for each try, since a stream can be read once. */
  readonly body?: () => Readable | Uint8Array;
}

export type RegistryResponse = Dispatcher.ResponseData;

/** Milliseconds of silence after which a registry counts as dead. */
const SILENCE = 30_000;
const REDIRECTS = 5;
/** How often one request may find its authorization too old. */
const RENEWALS = 3;

/** Requests to one registry: authorization when asked for it, redirects without leaking it. */
export class RegistryHttp {
  /** For people. */
  readonly host: string;
  readonly #access: RegistryAccess;
  readonly #authorization = new Map<string, string>();
  readonly #asked = new Map<string, Promise<string>>();

  constructor(access: RegistryAccess) {
    this.#access = access;
    this.host = new URL(access.endpoint).host;
  }

  /** Loads what the first request needs: whoever waits for something else has time for it now. */
  async prepare(): Promise<void> {
    await this.#client();
  }

  /** @throws CastleError image/registry-unreachable, image/registry-refused (authorization) */
  async send(wanted: RegistryRequest): Promise<RegistryResponse> {
    for (let renewals = 0; ; renewals += 1) {
      const used = this.#authorization.get(wanted.scope);
      const response = await this.#follow(wanted);
      const { statusCode, headers } = response;
      if (statusCode !== 401 && statusCode !== 403) return response;
      await response.body.dump();
      if (statusCode === 403 || renewals === RENEWALS) {
        throw this.#refused(`refuses ${wanted.scope} (HTTP ${statusCode})`);
      }
      const challenge = parseRegistryChallenge(headerText(headers["www-authenticate"]));
      if (challenge === undefined) throw this.#refused("asks for an authorization that castle does not know");
      // A name and password that were wrong once are wrong again; a token has only grown old.
      if ((await this.#renew(challenge, wanted.scope, used)) === used) {
        throw this.#refused(`refuses ${wanted.scope} (HTTP ${statusCode})`);
      }
    }
  }

  /** Of several requests that find their token too old, one asks for a new one and all use it. */
  async #renew(challenge: RegistryChallenge, scope: string, used: string | undefined): Promise<string> {
    const known = this.#authorization.get(scope);
    if (known !== undefined && known !== used) return known;
    const asked =
      this.#asked.get(scope) ??
      this.#authorize(challenge, scope).finally(() => {
        this.#asked.delete(scope);
      });
    this.#asked.set(scope, asked);
    const fresh = await asked;
    this.#authorization.set(scope, fresh);
    return fresh;
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
    if (challenge.scheme === "basic") {
      const basic = basicOf(credentials);
      if (basic === undefined) throw this.#refused("asks for a user name and password, and none are set");
      return basic;
    }
    const scopes = new Set([...(challenge.scope ?? "").split(" "), ...scope.split(" ")].filter(Boolean));
    const answer = await this.#exchange(...tokenRequest(challenge, [...scopes], credentials));
    const { host } = new URL(challenge.realm);
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw this.#refused(`gives no token for ${scope} (HTTP ${answer.statusCode} from ${host})`);
    }
    const token = tokenOf(await answer.body.json());
    if (token === undefined) throw this.#refused(`sends an answer without a token from ${host}`);
    return `Bearer ${token}`;
  }

  /** Its hundred modules take longer to load than a publication that finds nothing to do asks of the registry. */
  #client(): Promise<typeof import("./registry-exchange.ts")> {
    return import("./registry-exchange.ts");
  }

  async #exchange(
    url: URL,
    options: Omit<Dispatcher.RequestOptions, "path" | "origin">,
  ): Promise<RegistryResponse> {
    const { dispatcher, signal } = this.#access;
    const { request } = await this.#client();
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
        hint: "check the network and the name of the registry",
        cause: error,
      });
    }
  }

  #refused(what: string): CastleError {
    const source = this.#access.credentialSource;
    return new CastleError("image/registry-refused", {
      message: `the registry ${this.host} ${what}${source === undefined ? "" : `; asked with ${source}`}`,
      ...(source === undefined ? {} : { hint: `docker login ${this.host}` }),
    });
  }
}

function basicOf(credentials: RegistryCredentials | undefined): string | undefined {
  if (credentials === undefined || "identityToken" in credentials) return undefined;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString("base64")}`;
}

type TokenRequest = readonly [url: URL, options: Omit<Dispatcher.RequestOptions, "path" | "origin">];

/** As Docker asks: a GET with name and password, or OAuth's POST with what an earlier login left. */
function tokenRequest(
  { realm, service }: Extract<RegistryChallenge, { scheme: "bearer" }>,
  scopes: readonly string[],
  credentials: RegistryCredentials | undefined,
): TokenRequest {
  const url = new URL(realm);
  if (credentials !== undefined && "identityToken" in credentials) {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: credentials.identityToken.reveal(),
      client_id: "castle",
      ...(service === undefined ? {} : { service }),
      scope: scopes.join(" "),
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return [url, { method: "POST", headers, body: form.toString() }];
  }
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const basic = basicOf(credentials);
  return [url, { method: "GET", headers: basic === undefined ? {} : { authorization: basic } }];
}

function errorCode(error: Error): string | undefined {
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
