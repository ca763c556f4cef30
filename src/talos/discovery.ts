import { Client, credentials } from "@grpc/grpc-js";
import { CastleError } from "../errors/castle-error.ts";
import { calls } from "./calls.ts";
import type { Endpoint } from "./client.ts";

/** Milliseconds for one call. */
const DEADLINE = 5_000;

/** Where nodes tell each other of themselves, and under which name this castle does. */
export interface DiscoveryPlace {
  /** From here. */
  readonly endpoint: Endpoint;
  /** undefined: without TLS, as Talos speaks to an http:// address; otherwise the name in the service's certificate. */
  readonly serverName: string | undefined;
  /** Talos' id of the cluster: the name under which its nodes meet. */
  readonly cluster: string;
}

/**
 * Makes the discovery service forget a node at once, which would otherwise be told of until its time to live is over
 * (30 minutes). One that it does not know is as good.
 * @param affiliate the node's id, as Members list it
 * @throws CastleError talos/unreachable, talos/call-failed
 */
export async function forgetAffiliate(
  { endpoint, serverName, cluster }: DiscoveryPlace,
  affiliate: string,
): Promise<void> {
  const address = `${endpoint.host}:${endpoint.port}`;
  const trust = serverName === undefined ? credentials.createInsecure() : credentials.createSsl();
  const client = new Client(address, trust, {
    "grpc.enable_http_proxy": 0,
    ...(serverName === undefined ? {} : { "grpc.ssl_target_name_override": serverName }),
  });
  const { path, requestSerialize, responseDeserialize } = calls.affiliateDelete;
  try {
    await new Promise<void>((resolve, reject) => {
      const request = { clusterId: cluster, affiliateId: affiliate };
      const settings = { deadline: Date.now() + DEADLINE };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, settings, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  } catch (cause) {
    throw new CastleError("talos/unreachable", {
      message: `The discovery service at ${serverName ?? address} did not forget ${affiliate}: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: "it forgets by itself 30 minutes after the node's last word",
      cause,
    });
  } finally {
    client.close();
  }
}
