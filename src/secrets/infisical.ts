import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";
import { type InfisicalPlace, away, awaitsApproval, infisicalFailure } from "./infisical-failure.ts";
import { type SecretStore, refuseOtherCastle } from "./store.ts";

export interface InfisicalSettings {
  /** Infisical's cloud unless told. */
  readonly url?: string | undefined;
  readonly project: string;
  readonly environment: string;
  readonly castle: string;
  /** Of a machine identity with universal auth. @throws CastleError secrets/credentials */
  readonly login: () => { readonly clientId: string; readonly clientSecret: Secret };
}

const CLOUD = "https://app.infisical.com";
/** Milliseconds that Infisical has to answer at all. */
const ANSWER = 4_000;
/** Milliseconds for one call. The SDK would try for more than a minute. */
const DEADLINE = 12_000;

interface Entry {
  readonly value: string;
  readonly kept: string;
}
type Session = Awaited<ReturnType<typeof openSession>>;

/** A store in Infisical: one entry a secret in a folder of the castle's own, so that one project serves many castles. */
export function infisicalStore(settings: InfisicalSettings): SecretStore {
  const { project, environment, castle } = settings;
  const url = (settings.url ?? CLOUD).replace(/\/+$/, "");
  const place: InfisicalPlace = { url, project, environment, path: `/castle/${castle}` };
  let opened: Promise<Session> | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  const session = async (): Promise<Session> => {
    opened ??= openSession(place, settings.login);
    return opened.catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
  };
  const write = async (name: string, secret: Secret): Promise<void> => {
    const { entries, client } = await session();
    const known = entries.get(name)?.value;
    if (known === secret.reveal()) return;
    if (name === "talos-secrets") {
      refuseOtherCastle(describe(place), known, secret, (former) => entries.get(former)?.value);
    }
    const change = { projectId: project, environment, secretPath: place.path, secretValue: secret.reveal() };
    const done = await asked(place, () =>
      known === undefined
        ? client.secrets().createSecret(name, change)
        : client.secrets().updateSecret(name, change),
    ).catch((error: unknown) => {
      if (known !== undefined || !hasStatus(error, 400, /exist/i)) throw error;
      // Somebody else was faster: what that one wrote is looked at.
      opened = undefined;
      return undefined;
    });
    if (done === undefined) {
      await write(name, secret);
      return;
    }
    if (!("secret" in done)) throw awaitsApproval(place, name);
    entries.set(name, { value: secret.reveal(), kept: done.secret.updatedAt });
  };
  const writeAll = async (values: readonly (readonly [string, Secret | undefined])[]): Promise<void> => {
    const { entries, client } = await session();
    if (entries.size === 0) {
      // Making it again changes nothing, and the folders above are made with it.
      await asked(place, () =>
        client.folders().create({ name: castle, path: "/castle", projectId: project, environment }),
      );
    }
    // Who the castle is goes before all else: where that is refused, nothing of this one may lie beside it.
    for (const [name, secret] of values.toSorted(([one], [other]) => rank(one) - rank(other))) {
      if (secret !== undefined) await write(name, secret);
    }
  };
  return {
    description: describe(place),
    get: async (name) => {
      const value = (await session()).entries.get(name)?.value;
      return value === undefined ? undefined : new Secret(value);
    },
    put: async (values) => {
      const turn = writing.then(() => writeAll(Object.entries(values)));
      writing = turn.catch(() => {});
      await turn;
    },
    list: async () =>
      [...(await session()).entries]
        .map(([name, { kept }]) => ({ name, kept, pending: false }))
        .sort((one, other) => one.name.localeCompare(other.name)),
    sync: () => Promise.resolve([]),
  };
}

/** Who the castle was, who it is, and what is its own. */
function rank(name: string): number {
  if (name.startsWith("former-")) return 0;
  return name === "talos-secrets" ? 1 : 2;
}

function describe({ url, project, environment, path }: InfisicalPlace): string {
  return `Infisical ${url}, project ${project}, ${environment}:${path}`;
}

/** Logs in and reads the castle's folder, once for all that this process asks. */
async function openSession(place: InfisicalPlace, login: InfisicalSettings["login"]) {
  const { clientId, clientSecret } = login();
  await answers(place);
  const { InfisicalSDK } = await import("@infisical/sdk");
  const sdk = new InfisicalSDK({ siteUrl: place.url });
  const client = await asked(place, () =>
    sdk.auth().universalAuth.login({ clientId, clientSecret: clientSecret.reveal() }),
  );
  const found = await asked(place, () =>
    client.secrets().listSecrets({
      projectId: place.project,
      environment: place.environment,
      secretPath: place.path,
      // A ${…} in a value is a character like any other.
      expandSecretReferences: false,
      includeImports: false,
      recursive: false,
    }),
  ).catch((error: unknown) => {
    // Some versions answer with an empty list, some with 404, where a castle has kept nothing yet.
    if (hasStatus(error, 404, /folder/i)) return { secrets: [] };
    throw error;
  });
  const entries = new Map<string, Entry>(
    found.secrets.map(({ secretKey, secretValue, updatedAt }) => [
      secretKey,
      { value: secretValue, kept: updatedAt },
    ]),
  );
  return { client, entries };
}

/** Asked by ourselves first: the SDK goes on with timers of its own when nobody is there. */
async function answers(place: InfisicalPlace): Promise<void> {
  try {
    const answer = await fetch(`${place.url}/api/status`, {
      signal: AbortSignal.timeout(ANSWER),
      redirect: "manual",
    });
    await answer.body?.cancel();
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = reason instanceof Error && "code" in reason ? String(reason.code) : "";
    if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) throw untrusted(place, code, error);
    throw away(place, reason instanceof Error ? reason.message : String(reason), error);
  }
}

function untrusted({ url }: InfisicalPlace, code: string, cause: unknown): CastleError {
  return new CastleError("secrets/refused", {
    message: `The certificate of Infisical at ${url} cannot be trusted: ${code}`,
    hint: "NODE_EXTRA_CA_CERTS=/path/to/ca.pem in the environment names who signed it",
    cause,
  });
}

async function asked<T>(place: InfisicalPlace, call: () => Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(DEADLINE);
  const deadline = new Promise<never>((_resolve, reject) => {
    late.addEventListener("abort", () => reject(away(place, `nothing in ${DEADLINE} ms`)), { once: true });
  });
  try {
    return await Promise.race([call(), deadline]);
  } catch (error) {
    throw infisicalFailure(place, error);
  }
}

function hasStatus(error: unknown, status: number, words: RegExp): boolean {
  if (!(error instanceof CastleError) || error.code !== "secrets/refused") return false;
  return error.details["status"] === status && words.test(error.message);
}
