import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { poll } from "../../support/poll.ts";
import type { ReleaseFile } from "../release.ts";
import type { Delivery, DeliveryCluster } from "./delivery.ts";
import type { ReleaseFacts } from "./release-facts.ts";
import type { RolledOut } from "./rollout.ts";
import { addressOf, sampleFiles } from "./sample.ts";
import type { Served, Visit } from "./visit.ts";
import { containerOf, type Pod } from "./workload.ts";
import { isFailure } from "../../errors/failure.ts";

export interface PodProof {
  readonly namespace: string;
  readonly pod: string;
  readonly node: string | undefined;
  readonly imageId: string;
  /** Files whose bytes were compared. */
  readonly files: number;
}

export interface PublicProof {
  readonly url: string;
  readonly files: number;
}

const RELEASE_HEADER = "castle-release";
/** Milliseconds: one look, and how long the ingress may still answer with what it had. */
const EVERY = 100;
const WITHIN = 15_000;

/**
 * Every pod runs the image and serves its bytes, asked through the API server.
 * @throws CastleError publish/wrong-bytes naming the pod
 */
export async function provePods(
  delivery: Delivery,
  cluster: DeliveryCluster,
  rolled: readonly RolledOut[],
  facts: ReleaseFacts,
): Promise<readonly PodProof[]> {
  const pods = rolled.flatMap(({ pods }) => pods);
  return Promise.all(pods.map((pod) => provePod(delivery, cluster, pod, facts)));
}

async function provePod(
  { site, signal }: Delivery,
  { api }: DeliveryCluster,
  pod: Pod,
  facts: ReleaseFacts,
): Promise<PodProof> {
  const { namespace, name } = pod.metadata;
  const who = `Pod ${namespace}/${name}`;
  const container = containerOf(pod.spec, site.image);
  const status = pod.status?.containerStatuses?.find((one) => one.name === container?.name);
  const imageId = status?.imageID ?? "";
  if (!facts.imageIds.some((digest) => imageId.endsWith(digest))) {
    throw wrong(
      `${who} runs ${imageId === "" ? "an image that it does not name" : imageId}, not ${facts.digest}`,
      who,
    );
  }
  const port =
    container?.ports?.find((one) => one.name === "http")?.containerPort ??
    container?.ports?.[0]?.containerPort;
  const visit = podVisit(
    api,
    `/api/v1/namespaces/${namespace}/pods/${name}${port === undefined ? "" : `:${port}`}/proxy`,
  );
  const files = sampleFiles(facts.files);
  await checkName(visit, facts, who, signal);
  await Promise.all(files.map((file) => proveThroughApi(visit, file, who, signal)));
  return { namespace, pod: name, node: pod.spec.nodeName, imageId, files: files.length };
}

/**
 * The way that visitors come: by the site's own address, through everything that lies in between.
 * @throws CastleError publish/wrong-bytes naming the address
 */
export async function provePublic(
  { site, visit, signal }: Delivery & { readonly visit: Visit },
  facts: ReleaseFacts,
): Promise<PublicProof> {
  const url = `https://${site.host}/`;
  const files = sampleFiles(facts.files);
  let last: CastleError | undefined;
  await poll(
    async () => {
      try {
        await checkName(visit, facts, url, signal);
        await Promise.all(files.map((file) => proveBytes(visit, file, url, signal)));
        return true;
      } catch (error) {
        if (!isFailure(error)) throw error;
        // The ingress learns of new pods a moment after they are ready.
        last = error;
        return undefined;
      }
    },
    { every: EVERY, within: WITHIN, signal, onTimeout: () => last ?? wrong(`${url} does not answer`, url) },
  );
  return { url, files: files.length };
}

async function checkName(visit: Visit, facts: ReleaseFacts, who: string, signal: AbortSignal): Promise<void> {
  const answer = await visit("/", signal);
  if (answer.status !== 200) throw wrong(`${who} answers ${answer.status} for /`, who);
  if (!facts.isNamed) return;
  const found = answer.header(RELEASE_HEADER);
  if (found !== facts.tag)
    throw wrong(`${who} says that it is ${found ?? "no release"}, not ${facts.tag}`, who);
}

/**
 * The API server rewrites the links of what passes as HTML, so that its bytes are not the pod's; a page's compressed
 * neighbour, which is what browsers get, passes as it is.
 */
async function proveThroughApi(
  visit: Visit,
  file: ReleaseFile,
  who: string,
  signal: AbortSignal,
): Promise<void> {
  if (!/\.html?$/.test(file.path)) return proveBytes(visit, file, who, signal);
  const answer = await visit(`/${file.path.split("/").map(encodeURIComponent).join("/")}.gz`, signal);
  // Without a neighbour, what is small is sent as it is: that a page is there is all that can be seen this way.
  if (answer.status === 404) return provePresence(visit, file, who, signal);
  if (answer.status !== 200) throw wrong(`${who} answers ${answer.status} for ${file.path}.gz`, who);
  compare(gunzipped(answer, who, file), file, who);
}

async function provePresence(
  visit: Visit,
  file: ReleaseFile,
  who: string,
  signal: AbortSignal,
): Promise<void> {
  const { status } = await visit(addressOf(file.path), signal);
  if (status !== 200) throw wrong(`${who} answers ${status} for /${file.path}`, who);
}

async function proveBytes(visit: Visit, file: ReleaseFile, who: string, signal: AbortSignal): Promise<void> {
  const answer = await visit(addressOf(file.path), signal);
  if (answer.status !== 200) throw wrong(`${who} answers ${answer.status} for ${addressOf(file.path)}`, who);
  compare(answer.bytes, file, who);
}

function compare(bytes: Uint8Array, { path, sha256 }: ReleaseFile, who: string): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === sha256) return;
  throw wrong(
    `${who} serves other bytes than the release for /${path}: ${found.slice(0, 12)}…, expected ${sha256.slice(0, 12)}…`,
    who,
  );
}

function gunzipped({ bytes }: Served, who: string, { path }: ReleaseFile): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch {
    throw wrong(`${who} serves ${path}.gz, which is no gzip`, who);
  }
}

function podVisit(api: KubernetesApi, root: string): Visit {
  return async (path, signal) => {
    const { status, headers, bytes } = await api.fetch({ path: `${root}${path}`, signal });
    return {
      status,
      bytes,
      header: (name) => {
        const value = headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
    };
  };
}

function wrong(message: string, who: string): CastleError {
  return new CastleError("publish/wrong-bytes", {
    message,
    hint: "look for what lies in between: a cache, a mounted folder, another ingress; castle publish --resume proves again",
    details: { at: who },
  });
}
