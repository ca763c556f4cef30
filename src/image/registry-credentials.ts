import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { run } from "../support/run.ts";
import { Secret } from "../support/secret.ts";
import { isFailure } from "../errors/failure.ts";
import { parsedJson } from "../support/json.ts";

export type RegistryCredentials =
  | { readonly username: string; readonly password: Secret }
  /** Exchanged for a token at the registry's own authority, as `docker login` leaves it. */
  | { readonly identityToken: Secret };

export interface FoundCredentials {
  readonly credentials: RegistryCredentials | undefined;
  /** For people: which file or helper they are from, or where none were found. */
  readonly source: string;
}

export interface CredentialSearch {
  /** docker.io or a host with port. */
  readonly registry: string;
  readonly repository: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

const entryShape = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const configShape = z.looseObject({
  auths: z.record(z.string(), entryShape).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
type Config = z.infer<typeof configShape>;

const helperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/** Milliseconds: a helper that asks somebody behind a screen would wait for ever. */
const HELPER_WITHIN = 10_000;

/**
 * Looks where Docker and its neighbours keep logins: `REGISTRY_AUTH_FILE`, then Docker's config.json, then
 * containers/auth.json; in each its helper for this registry, its store, its own entries. The first that knows the
 * registry answers.
 * @throws CastleError image/credentials if a file or a helper is broken
 */
export async function findCredentials(search: CredentialSearch): Promise<FoundCredentials> {
  const tried: string[] = [];
  for (const path of configFiles(search.environment)) {
    const config = await readConfig(path);
    if (config === undefined) continue;
    tried.push(path);
    const found = await inConfig(config, path, search);
    if (found !== undefined) return found;
  }
  const where = tried.length === 0 ? "there is no login file" : `nothing in ${tried.join(", ")}`;
  return { credentials: undefined, source: `no credentials: ${where}` };
}

function configFiles(env: CredentialSearch["environment"]): readonly string[] {
  const told = env["REGISTRY_AUTH_FILE"];
  if (told !== undefined && told !== "") return [told];
  const { HOME: home, DOCKER_CONFIG: docker, XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: config } = env;
  return [
    docker !== undefined && docker !== ""
      ? join(docker, "config.json")
      : home && join(home, ".docker/config.json"),
    runtime && join(runtime, "containers/auth.json"),
    config ? join(config, "containers/auth.json") : home && join(home, ".config/containers/auth.json"),
  ].filter((path): path is string => path !== undefined && path !== "");
}

async function readConfig(path: string): Promise<Config | undefined> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return undefined;
    throw broken(`${path} cannot be read: ${cause.message}`, cause);
  });
  if (text === undefined) return undefined;
  try {
    return configShape.parse(JSON.parse(text));
  } catch {
    // Not the parser's words: they quote what stands there.
    throw broken(`${path} is not a login file: it holds no JSON of Docker's shape`);
  }
}

async function inConfig(
  config: Config,
  path: string,
  search: CredentialSearch,
): Promise<FoundCredentials | undefined> {
  const keys = keysOf(search);
  for (const key of keys) {
    const helper = config.credHelpers?.[key];
    if (helper !== undefined) return askHelper(helper, key, { path, search });
  }
  if (config.credsStore !== undefined && config.credsStore !== "") {
    for (const key of keys.filter((key) => !key.includes("/") || key.includes("://"))) {
      const found = await askHelper(config.credsStore, key, { path, search });
      if (found !== undefined) return found;
    }
  }
  for (const key of keys) {
    const entry = config.auths?.[key];
    const credentials = entry === undefined ? undefined : fromEntry(entry, path);
    if (credentials !== undefined) return { credentials, source: `auths["${key}"] of ${path}` };
  }
  return undefined;
}

/** The names that a registry has in login files: with folders of the repository first, as containers/auth.json may. */
function keysOf({ registry, repository }: CredentialSearch): readonly string[] {
  const parts = repository.split("/");
  const folders = parts.map((_, index) => `${registry}/${parts.slice(0, parts.length - index).join("/")}`);
  const hub =
    registry === "docker.io"
      ? ["https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"]
      : [];
  const forms = [registry, `https://${registry}`, `https://${registry}/`, `http://${registry}`];
  return [...folders, ...hub, ...forms, `https://${registry}/v2/`, `https://${registry}/v1/`];
}

function fromEntry(
  { auth, username, password, identitytoken }: z.infer<typeof entryShape>,
  path: string,
): RegistryCredentials | undefined {
  if (identitytoken !== undefined && identitytoken !== "")
    return { identityToken: new Secret(identitytoken) };
  if (username !== undefined && password !== undefined) return { username, password: new Secret(password) };
  if (auth === undefined || auth === "") return undefined;
  const [name, ...rest] = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "").split(":");
  if (name === undefined || rest.length === 0)
    throw broken(`${path} holds an auth that is not USER:PASSWORD`);
  return { username: name, password: new Secret(rest.join(":")) };
}

interface Place {
  readonly path: string;
  readonly search: CredentialSearch;
}

async function askHelper(
  helper: string,
  key: string,
  { path, search }: Place,
): Promise<FoundCredentials | undefined> {
  const program = `docker-credential-${helper}`;
  const source = `${program} (named in ${path})`;
  const said = await run(program, ["get"], {
    input: `${key}\n`,
    timeout: HELPER_WITHIN,
    accept: [1],
    env: search.environment["PATH"] === undefined ? {} : { PATH: search.environment["PATH"] },
    ...(search.signal === undefined ? {} : { signal: search.signal }),
  }).catch((cause: unknown) => {
    if (!isFailure(cause)) throw cause;
    throw broken(`The credential helper ${source} ${helperFault(cause)}`, cause);
  });
  if (said.exitCode === 1) {
    if (/not found/i.test(said.stdout + said.stderr)) return undefined;
    throw broken(
      `The credential helper ${source} failed: ${(said.stdout || said.stderr).trim().slice(0, 200)}`,
    );
  }
  const answer = helperAnswer.safeParse(parsedJson(said.stdout)).data;
  if (answer === undefined)
    throw broken(`The credential helper ${source} gave an answer that is not JSON of its kind`);
  const secret = new Secret(answer.Secret);
  if (answer.Username === "<token>") return { credentials: { identityToken: secret }, source };
  return { credentials: { username: answer.Username, password: secret }, source };
}

function helperFault({ code, message }: CastleError): string {
  if (code === "command/missing") return "is not installed or not on PATH";
  if (code === "command/timed-out") return `did not answer in ${HELPER_WITHIN / 1_000} s`;
  return `failed: ${message}`;
}

function broken(message: string, cause?: unknown): CastleError {
  return new CastleError("image/credentials", {
    message,
    hint: "docker login, or point REGISTRY_AUTH_FILE at a file with a login for this registry",
    ...(cause === undefined ? {} : { cause }),
  });
}
