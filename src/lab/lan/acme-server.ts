import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { writeFileAtomic } from "../../support/write-file.ts";
import { serverCertificate } from "../hypervisor/certificate.ts";
import type { Program } from "./supervised-process.ts";

export interface AcmeOptions {
  /** Path of the pebble binary. */
  readonly program: string;
  readonly host: string;
  readonly port: number;
  /** Port of its management API, which tells the root. */
  readonly management: number;
  /** address:port of the name server by which challenges find their hosts. */
  readonly dns: string;
  /** Folder in the lab's state for the server's certificate and the roots it ever had. */
  readonly folder: string;
  /** Folder for its config file. */
  readonly run: string;
  readonly namespace?: string;
}

/** In the folder of the lab's state: every root that it knows, the newest first. */
const ROOTS = "roots.pem";
/** Seconds that issued certificates are valid: 90 days, as Let's Encrypt's. */
const VALIDITY = 90 * 86_400;

/**
 * Writes the ACME server's config and says how to run it; `certificate` is what its own HTTPS shows.
 * @throws CastleError command/missing, command/failed
 */
export async function acmeProgram(options: AcmeOptions): Promise<Program & { readonly certificate: string }> {
  const { folder, host, namespace } = options;
  const { certificate } = await serverCertificate(folder, `IP:${host},DNS:acme.lan`);
  const config = join(options.run, "pebble.json");
  const both = join(folder, "tls.pem");
  const pebble = {
    listenAddress: `${host}:${options.port}`,
    managementListenAddress: `${host}:${options.management}`,
    certificate: both,
    privateKey: both,
    httpPort: 80,
    tlsPort: 443,
    keyAlgorithm: "ecdsa",
    retryAfter: { authz: 1, order: 1 },
    // Of several profiles pebble would take one at random.
    profiles: { default: { description: "as Let's Encrypt's", validityPeriod: VALIDITY } },
  };
  await writeFileAtomic(config, `${JSON.stringify({ pebble }, undefined, 2)}\n`);
  return {
    name: "acme",
    command: [options.program, "-config", config, "-dnsserver", options.dns],
    // Without these it sleeps, refuses good nonces and forgets authorisations by the throw of a die.
    env: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0", PEBBLE_AUTHZREUSE: "0" },
    certificate,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/**
 * Asks the running server for its root and adds it to those that it had before, which pebble forgets.
 * @param dial opens a connection to the management API
 * @returns PEM, the newest first
 * @throws Error if it does not answer, or not with a certificate
 */
export async function acmeRoots(
  { folder, host, management }: AcmeOptions,
  certificate: string,
  dial: () => Promise<Duplex>,
): Promise<string> {
  const now = await download({ url: `https://${host}:${management}/roots/0`, certificate, host }, dial);
  const kept = await readFile(join(folder, ROOTS), "utf8").catch(() => "");
  return addRoots(folder, now, kept);
}

/** Writes both down, each root once, the first ones first. @returns PEM */
export async function addRoots(folder: string, first: string, more: string): Promise<string> {
  const found = `${first}\n${more}`.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? [];
  const all = [...new Set(found.map((pem) => new X509Certificate(pem).toString()))].join("");
  await writeFileAtomic(join(folder, ROOTS), all);
  return all;
}

async function download(
  { url, certificate, host }: { readonly url: string; readonly certificate: string; readonly host: string },
  dial: () => Promise<Duplex>,
): Promise<string> {
  const secure = connect({ socket: await dial(), ca: certificate, host });
  try {
    const call = request(url, { createConnection: () => secure, signal: AbortSignal.timeout(5_000) });
    call.end();
    const [response] = await once(call, "response");
    if (!(response instanceof IncomingMessage) || response.statusCode !== 200) {
      throw new Error(`${url} did not answer with a certificate`);
    }
    return await text(response);
  } finally {
    secure.destroy();
  }
}
