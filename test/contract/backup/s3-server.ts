import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";

export const KEY = { access: "AKIDCASTLE", secret: "s3cr3t/with+signs=", region: "eu-test-1" } as const;

/**
 * A stand-in for S3 on the loopback: one bucket in memory, lists in pages of two, and every request's signature worked
 * out anew from what came over the wire.
 */
export class S3Server {
  readonly objects = new Map<string, Buffer>();
  /** How many of the next requests are answered with 503. */
  busy = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<S3Server> {
    const server = createServer((request, response) => {
      void (async () => {
        const { status, body } = await standIn.#answer(request);
        response.writeHead(status, { "content-type": "application/xml" });
        response.end(body);
      })();
    });
    const standIn = new S3Server(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return standIn;
  }

  get endpoint(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("it listens on a port");
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: Buffer | string }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (this.busy > 0) {
      this.busy -= 1;
      return fault(503, "SlowDown", "Please reduce your request rate.");
    }
    const wrong = signatureFault(request, body);
    if (wrong !== undefined) return fault(403, "SignatureDoesNotMatch", wrong);
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const [bucket, ...rest] = path.slice(1).split("/");
    if (bucket !== "backups") return fault(404, "NoSuchBucket", "The specified bucket does not exist");
    const key = decodeURIComponent(rest.join("/"));
    if (key === "") return this.#list(new URLSearchParams(query));
    const { method = "GET" } = request;
    switch (method) {
      case "PUT":
        this.objects.set(key, body);
        return { status: 200, body: "" };
      case "DELETE":
        this.objects.delete(key);
        return { status: 204, body: "" };
      default: {
        const found = this.objects.get(key);
        return found === undefined ? fault(404, "NoSuchKey", "no such key") : { status: 200, body: found };
      }
    }
  }

  #list(query: URLSearchParams): { status: number; body: string } {
    const prefix = query.get("prefix") ?? "";
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes("/"))
      .toSorted();
    const from = Number(query.get("continuation-token") ?? 0);
    const page = keys.slice(from, from + 2);
    const contents = page.map(
      (key) =>
        `<Contents><Key>${key.replaceAll("&", "&amp;")}</Key><Size>${this.objects.get(key)?.length}</Size></Contents>`,
    );
    const next = from + 2 < keys.length ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : "";
    return {
      status: 200,
      body: `<?xml version="1.0"?><ListBucketResult>${contents.join("")}${next}</ListBucketResult>`,
    };
  }
}

/** As the reference has it for the side that checks; shares no code with the side that signs. */
function signatureFault({ method, url = "", headers }: IncomingMessage, body: Buffer): string | undefined {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? "",
    );
  if (given === null) return "no signature";
  const [, access, day = "", region = "", names = "", signature] = given;
  if (access !== KEY.access || region !== KEY.region) return `unknown key ${access} of ${region}`;
  const hash = createHash("sha256").update(body).digest("hex");
  if (headers["x-amz-content-sha256"] !== hash) return "the body's hash does not fit";
  for (const needed of ["host", "x-amz-content-sha256", "x-amz-date"]) {
    if (!names.split(";").includes(needed)) return `${needed} is not signed`;
  }
  const [path = "", query = ""] = url.split("?");
  const sorted = query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => pair.replaceAll("+", "%20"))
    .toSorted();
  const lines = names.split(";").map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = `${method}\n${path}\n${sorted.join("&")}\n${lines.join("")}\n${names}\n${hash}`;
  const toSign = `AWS4-HMAC-SHA256\n${String(headers["x-amz-date"])}\n${day}/${region}/s3/aws4_request\n${createHash("sha256").update(canonical).digest("hex")}`;
  let key: Buffer = Buffer.from(`AWS4${KEY.secret}`);
  for (const word of [day, region, "s3", "aws4_request"])
    key = createHmac("sha256", key).update(word).digest();
  return createHmac("sha256", key).update(toSign).digest("hex") === signature
    ? undefined
    : "the signature differs";
}

function fault(status: number, code: string, message: string): { status: number; body: string } {
  return { status, body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>` };
}
