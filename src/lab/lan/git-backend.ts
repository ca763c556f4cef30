import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Git's own default is to look at the user's and the machine's settings; the lab's server has these and no others. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ["http.receivepack", "true"],
  ["http.getanyfile", "false"],
  // Would go on in the background after the answer, and be left over when the lab is taken away.
  ["gc.auto", "0"],
  ["receive.autogc", "false"],
  ["receive.advertisePushOptions", "false"],
  ["safe.directory", "*"],
];

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LONGEST_HEADER = 64 * 1024;

interface Backend {
  readonly url: URL;
  readonly folder: string;
  readonly path: string;
  readonly user: string;
}

/** What CGI (RFC 3875) and `git http-backend` want to be told of a request. */
export function backendEnvironment(
  request: IncomingMessage,
  { url, folder, path, user }: Backend,
): Record<string, string> {
  const { headers } = request;
  const settings = SETTINGS.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  const optional = {
    // Absent for a chunked body: then Git reads to the end.
    CONTENT_LENGTH: headers["content-length"],
    CONTENT_TYPE: headers["content-type"],
    HTTP_CONTENT_ENCODING: headers["content-encoding"],
    GIT_PROTOCOL: single(headers["git-protocol"]),
    REMOTE_ADDR: request.socket.remoteAddress,
  };
  return {
    PATH,
    LC_ALL: "C",
    HOME: folder,
    GATEWAY_INTERFACE: "CGI/1.1",
    GIT_CONFIG_COUNT: String(SETTINGS.length),
    ...Object.fromEntries(settings),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_PROJECT_ROOT: folder,
    PATH_INFO: `/${path}`,
    QUERY_STRING: url.search.slice(1),
    REMOTE_USER: user,
    REQUEST_METHOD: request.method ?? "GET",
    SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
    ...Object.fromEntries(
      Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  };
}

/**
 * Turns what a CGI program says into an HTTP answer, as it comes.
 * @throws Error if it ends within its header
 */
export async function passResponse(output: Readable, response: ServerResponse): Promise<void> {
  let received = Buffer.alloc(0);
  const chunks: AsyncIterator<Buffer> = output[Symbol.asyncIterator]();
  let end: { readonly at: number; readonly length: number } | undefined;
  while (end === undefined) {
    const { done, value } = await chunks.next();
    if (done === true) throw new Error("git http-backend ended without an answer");
    received = Buffer.concat([received, value]);
    end = endOfHeader(received);
    if (end === undefined && received.length > LONGEST_HEADER) throw new Error("git http-backend has no end");
  }
  const { status, headers } = parseHeader(received.toString("latin1", 0, end.at));
  response.writeHead(status, headers);
  const first = received.subarray(end.at + end.length);
  await pipeline(async function* () {
    if (first.length > 0) yield first;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }, response);
}

function endOfHeader(received: Buffer): { at: number; length: number } | undefined {
  const ends = ["\r\n\r\n", "\n\n"].map((mark) => ({ at: received.indexOf(mark), length: mark.length }));
  return ends.filter(({ at }) => at !== -1).toSorted((left, right) => left.at - right.at)[0];
}

function parseHeader(text: string): { status: number; headers: Record<string, string> } {
  const fields = text.split(/\r?\n/).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const status = Number.parseInt(fields.find(([name]) => name === "status")?.[1] ?? "200", 10);
  return { status, headers: Object.fromEntries(fields.filter(([name]) => name !== "status")) };
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
