import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import { type ClusterSecret, castleSecrets } from "../kubernetes/castle-secrets.ts";
import { escrowCertificates } from "../lifecycle/certificates/escrow.ts";
import { castleHome } from "../lifecycle/home.ts";
import { withLock } from "../lifecycle/lock.ts";
import { SOPS_KEY, sopsRecipient } from "../secrets/sops.ts";
import type { KeptSecret, SecretStore } from "../secrets/store.ts";
import type { AnswerOf } from "./answer.ts";
import { withCluster } from "./cluster-session.ts";
import type { Context } from "./context.ts";
import { secretStore } from "./secret-store.ts";
import { type SpecFile, readSpecFile } from "./spec-file.ts";
import { table } from "./table.ts";

/** What a castle that is down, or not raised yet, says instead of its Secrets. */
const SILENT = new Set(["lifecycle/not-raised", "kubernetes/unreachable"]);

export async function listSecrets(context: Context, file: string): Promise<AnswerOf<"CastleSecrets">> {
  const spec = await readSpecFile(context, file);
  const store = secretStore(context, spec);
  const secrets = await store.list();
  // A store that does not answer still tells what this machine has of it, and nothing else.
  const recipient = secrets.some(({ name }) => name === SOPS_KEY) ? await sopsRecipient(store) : undefined;
  const cluster = await clusterSecrets(context, spec, store);
  const silence = "silent" in cluster ? cluster : undefined;
  const inCluster = "silent" in cluster ? [] : cluster.secrets;
  return {
    kind: "CastleSecrets",
    data: {
      castle: spec.castle.name,
      store: store.description,
      secrets,
      ...(recipient === undefined ? {} : { sopsRecipient: recipient }),
      cluster: inCluster,
      ...(silence === undefined ? {} : { silent: silence.silent }),
    },
    text: [
      `The store: ${store.description}`,
      secrets.length === 0 ? "holds nothing yet" : table([["SECRET", "KEPT"], ...secrets.map(row)]),
      ...(recipient === undefined ? [] : ["", `Your own, for Git: sops encrypt --age ${recipient}`]),
      "",
      silence === undefined ? "The cluster, from castle:" : `The cluster was not asked: ${silence.silent}`,
      ...(inCluster.length === 0
        ? []
        : [
            table([
              ["NAMESPACE", "SECRET", "CREATED"],
              ...inCluster.map(({ namespace, name, created }) => [namespace, name, created]),
            ]),
          ]),
    ].join("\n"),
    exit: secrets.some(({ pending }) => pending) ? 3 : 0,
  };
}

function row({ name, kept, pending }: KeptSecret): string[] {
  return [name, pending ? `waits since ${kept}: castle secrets sync` : kept];
}

async function clusterSecrets(
  context: Context,
  spec: SpecFile,
  store: SecretStore,
): Promise<{ readonly secrets: readonly ClusterSecret[] } | { readonly silent: string }> {
  try {
    return {
      secrets: await withCluster(context, spec, store, (api) => castleSecrets(api, context.signal)),
    };
  } catch (error) {
    if (error instanceof CastleError && SILENT.has(error.code)) return { silent: error.message };
    throw error;
  }
}

export async function syncSecrets(
  context: Context,
  file: string,
  report: Report,
): Promise<AnswerOf<"SecretsSynced">> {
  const spec = await readSpecFile(context, file);
  const { castle, folder } = spec;
  const { lock } = await castleHome(folder, castle.name);
  return withLock(lock, "secrets sync", async () => {
    const store = secretStore(context, spec);
    const written = await store.sync();
    const certificates = await clusterCertificates(context, spec, { store, report });
    const names = [...written, ...certificates.map((host) => `certificate-${host}`)];
    return {
      kind: "SecretsSynced",
      data: { castle: castle.name, store: store.description, written: names },
      text:
        names.length === 0
          ? `${store.description} holds all there is`
          : `Written to ${store.description}: ${names.join(", ")}`,
    };
  });
}

/** Where the castle does not answer, its certificates wait for the next time. */
async function clusterCertificates(
  context: Context,
  spec: SpecFile,
  { store, report }: { readonly store: SecretStore; readonly report: Report },
): Promise<readonly string[]> {
  const { sites = [], ingress } = spec.castle;
  if (sites.length === 0 || ingress?.tls === undefined) return [];
  const { signal, now } = context;
  try {
    return await withCluster(context, spec, store, (api) =>
      escrowCertificates({ api, store, sites, now: now(), signal }),
    );
  } catch (error) {
    if (!(error instanceof CastleError) || !SILENT.has(error.code)) throw error;
    report({ type: "warning", message: `Certificates were not looked at: ${error.message}` });
    return [];
  }
}
