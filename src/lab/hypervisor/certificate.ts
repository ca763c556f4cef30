import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../support/run.ts";
import { writeFileAtomic } from "../../support/write-file.ts";

export interface ServerCertificate {
  /** PEM */
  readonly key: string;
  /** PEM */
  readonly certificate: string;
  /** SHA-256, AA:BB:… */
  readonly fingerprint: string;
}

const DAYS = 3650;
const LOOPBACK = "IP:127.0.0.1,DNS:localhost";

/**
 * The server's key and self-signed certificate: read from the folder, or made by openssl and kept there. Both lie in
 * one file of mode 0600, tls.pem, so that a kill can never leave a key without its certificate.
 * @param names as openssl writes a subjectAltName; the loopback's unless told
 * @throws CastleError command/missing, command/failed
 */
export async function serverCertificate(folder: string, names = LOOPBACK): Promise<ServerCertificate> {
  const path = join(folder, "tls.pem");
  const kept = await readFile(path, "utf8").catch(() => "");
  const usable = split(kept);
  if (usable !== undefined) return usable;
  const pem = await make(folder, names);
  await writeFileAtomic(path, pem);
  const made = split(pem);
  if (made === undefined) throw new Error("openssl made a certificate that does not fit its key");
  return made;
}

async function make(folder: string, names: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // mkdtemp's folder is 0700: the key is never readable by others, whatever openssl's umask.
  const work = await mkdtemp(join(folder, "tls-"));
  try {
    const keyFile = join(work, "key.pem");
    const certificateFile = join(work, "certificate.pem");
    const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
    const identity = ["-subj", "/CN=castle lab", "-addext", `subjectAltName=${names}`, "-days", String(DAYS)];
    await run("openssl", [
      "req",
      "-x509",
      ...algorithm,
      "-keyout",
      keyFile,
      "-out",
      certificateFile,
      ...identity,
    ]);
    return (await readFile(keyFile, "utf8")) + (await readFile(certificateFile, "utf8"));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Takes the two apart; undefined where they are damaged, do not belong together or have run out. */
function split(pem: string): ServerCertificate | undefined {
  const key = /-----BEGIN PRIVATE KEY-----[^]+?-----END PRIVATE KEY-----\n?/.exec(pem)?.[0];
  const certificate = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----\n?/.exec(pem)?.[0];
  if (key === undefined || certificate === undefined) return undefined;
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key)) || new Date(parsed.validTo) < new Date())
      return undefined;
    return { key, certificate, fingerprint: parsed.fingerprint256 };
  } catch {
    return undefined;
  }
}
