import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { type TLSSocket, connect, rootCertificates } from "node:tls";
import type { HeldCertificate, PageVisit } from "../examination.ts";
import type { Lan } from "./bedside.ts";

/** For one question: a visit from the first packet to the page's first line, for example. */
export function withinPatience({ patience }: Pick<Lan, "patience">, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(patience)]);
}

/** Why no connection was opened; undefined: one was, and was closed again. */
export async function knock(
  lan: Lan,
  { address, port }: { readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    (await lan.dial(address, port, withinPatience(lan, signal))).destroy();
    return undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    return wordsOf(error);
  }
}

export interface Visit {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  /** By HTTPS. */
  readonly secure: boolean;
}

/** Asks for a host's first page as a browser does that finds it at this address. */
export async function visitPage(
  lan: Lan,
  { address, port, host, secure }: Visit,
  signal: AbortSignal,
): Promise<PageVisit> {
  const patience = withinPatience(lan, signal);
  let certificate: HeldCertificate | undefined;
  let connection: Socket | undefined;
  try {
    connection = await lan.dial(address, port, patience);
    if (secure) {
      const tls = await handshake(connection, host, patience, lan.roots);
      connection = tls;
      certificate = shownBy(tls, `TLS of ${host}`);
      // Node's types say Error; it is a code, or an error.
      const fault: unknown = tls.authorizationError;
      if (fault !== undefined && fault !== null && lan.verified) {
        return { host, status: undefined, failed: `its certificate: ${wordsOf(fault)}`, certificate };
      }
    }
    const status = await firstLine(connection, host, patience);
    return { host, status, failed: undefined, certificate };
  } catch (error) {
    if (signal.aborted) throw error;
    return { host, status: undefined, failed: wordsOf(error), certificate };
  } finally {
    connection?.destroy();
  }
}

/** The certificate that a server shows, whoever it is for; undefined: nobody answers there. */
export async function shownCertificate(
  lan: Lan,
  server: { readonly address: string; readonly port: number; readonly object: string },
  signal: AbortSignal,
): Promise<HeldCertificate | undefined> {
  const patience = withinPatience(lan, signal);
  try {
    const connection = await lan.dial(server.address, server.port, patience);
    try {
      return shownBy(await handshake(connection, server.address, patience, undefined), server.object);
    } finally {
      connection.destroy();
    }
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

/** Whoever shows the certificate is judged afterwards: a wrong one is what is looked for. */
function handshake(
  connection: Socket,
  host: string,
  signal: AbortSignal,
  roots: string | undefined,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connect({
      socket: connection,
      rejectUnauthorized: false,
      ...(/^[\d.]+$/.test(host) ? {} : { servername: host }),
      ...(roots === undefined ? {} : { ca: [...rootCertificates, roots] }),
    });
    const late = () => secured.destroy(new Error("no answer to the TLS handshake"));
    signal.addEventListener("abort", late, { once: true });
    secured.once("error", reject);
    secured.once("secureConnect", () => {
      signal.removeEventListener("abort", late);
      resolve(secured);
    });
  });
}

function shownBy(tls: TLSSocket, object: string): HeldCertificate | undefined {
  const shown = tls.getPeerX509Certificate();
  return shown === undefined ? undefined : heldCertificate(object, shown);
}

export function heldCertificate(object: string, certificate: X509Certificate): HeldCertificate {
  return { object, from: new Date(certificate.validFrom), until: new Date(certificate.validTo) };
}

async function firstLine(connection: Socket, host: string, signal: AbortSignal): Promise<number> {
  const late = () => connection.destroy(new Error("no page within the time"));
  signal.addEventListener("abort", late, { once: true });
  let text = "";
  try {
    connection.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: castle\r\nConnection: close\r\n\r\n`);
    for await (const chunk of connection) {
      text += String(chunk);
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
      if (status !== undefined) return Number(status);
    }
  } finally {
    signal.removeEventListener("abort", late);
  }
  throw new Error("it hung up without an answer");
}

function wordsOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") {
    return "no answer in time";
  }
  return error instanceof Error ? error.message : String(error);
}
