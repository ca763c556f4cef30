import type { Duplex } from "node:stream";
import { KubernetesApi } from "../../kubernetes/api.ts";
import { openPodPort } from "../../kubernetes/pod-port.ts";
import type { Secret } from "../../support/secret.ts";
import { API_NAME, readyNameServers } from "../cluster-dns.ts";
import type { NameServerAnswer } from "../examination.ts";
import type { ClusterObjects } from "../manifests/cluster-objects.ts";
import { askName } from "./name-query.ts";

const DNS = 53;
/** Milliseconds that an answer may take; who was given less, because others were slow before, is not called silent. */
const FAIR = 2_000;

/** Asks every pod of the cluster's own name server for the API's name, from inside its own network. */
export async function askNameServers(
  kubeconfig: Secret,
  cluster: Promise<ClusterObjects | { readonly silent: string }>,
  { signal, patience }: { readonly signal: AbortSignal; readonly patience: number },
): Promise<readonly NameServerAnswer[]> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  const told = await cluster;
  if (told.silent !== undefined) return [];
  const api = new KubernetesApi(kubeconfig);
  try {
    return await Promise.all(
      readyNameServers(told.objects).map(({ pod }) => ask(api, pod, { signal, deadline })),
    );
  } finally {
    api.close();
  }
}

async function ask(
  api: KubernetesApi,
  id: string,
  { signal, deadline }: { readonly signal: AbortSignal; readonly deadline: AbortSignal },
): Promise<NameServerAnswer> {
  const asked = {
    host: API_NAME,
    server: `Pod ${id}`,
    addresses: [],
    failed: undefined,
    unreached: undefined,
  };
  const [namespace = "", pod = ""] = id.split("/");
  let connection: Duplex;
  try {
    connection = await openPodPort(api, { namespace, pod, port: DNS }, deadline);
  } catch (error) {
    return { ...asked, unreached: reason(error, signal) };
  }
  const opened = performance.now();
  const late = () => connection.destroy(new Error("it did not answer in time"));
  deadline.addEventListener("abort", late, { once: true });
  try {
    return { ...asked, addresses: await askName(connection, API_NAME) };
  } catch (error) {
    const words = reason(error, signal);
    const isFair = !deadline.aborted || performance.now() - opened >= FAIR;
    return isFair ? { ...asked, failed: words } : { ...asked, unreached: words };
  } finally {
    deadline.removeEventListener("abort", late);
  }
}

/** In its own words; an interruption is none. */
function reason(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) throw error;
  return error instanceof Error ? error.message : String(error);
}
