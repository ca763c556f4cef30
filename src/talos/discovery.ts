import { Client, credentials } from "@grpc/grpc-js";
import { CastleError } from "../errors/castle-error.ts";
import { calls } from "./calls.ts";
import type { Endpoint } from "./client.ts";
import type { Method } from "./schema.ts";

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
 * @throws CastleError talos/unreachable
 */
export function forgetAffiliate(place: DiscoveryPlace, affiliate: string): Promise<void> {
  return talking(place, `forget ${affiliate}`, (ask) => forget(ask, place, affiliate));
}

/** The ids of the castle's nodes that the discovery service knows. @throws CastleError talos/unreachable */
export function knownAffiliates(place: DiscoveryPlace): Promise<readonly string[]> {
  return talking(place, "list the castle's nodes", (ask) => list(ask, place));
}

/**
 * Makes the discovery service forget all nodes of the castle.
 * @returns how many it knew
 * @throws CastleError talos/unreachable
 */
export function forgetAll(place: DiscoveryPlace): Promise<number> {
  return talking(place, "forget the castle's nodes", async (ask) => {
    const known = await list(ask, place);
    await Promise.all(known.map((id) => forget(ask, place, id)));
    return known.length;
  });
}

type Ask = <Request extends object, Answer extends object>(
  call: Method<Request, Answer>,
  request: Request,
) => Promise<Answer>;

async function list(ask: Ask, { cluster }: DiscoveryPlace): Promise<readonly string[]> {
  const { affiliates } = await ask(calls.affiliateList, { clusterId: cluster });
  return affiliates.map(({ id }) => id);
}

async function forget(ask: Ask, { cluster }: DiscoveryPlace, affiliateId: string): Promise<void> {
  await ask(calls.affiliateDelete, { clusterId: cluster, affiliateId });
}

/** @param what the service is asked to do, for the error */
async function talking<T>(
  { endpoint, serverName }: DiscoveryPlace,
  what: string,
  talk: (ask: Ask) => Promise<T>,
): Promise<T> {
  const address = `${endpoint.host}:${endpoint.port}`;
  const trust = serverName === undefined ? credentials.createInsecure() : credentials.createSsl();
  const client = new Client(address, trust, {
    "grpc.enable_http_proxy": 0,
    ...(serverName === undefined ? {} : { "grpc.ssl_target_name_override": serverName }),
  });
  const ask: Ask = ({ path, requestSerialize, responseDeserialize }, request) =>
    new Promise((resolve, reject) => {
      const settings = { deadline: Date.now() + DEADLINE };
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        settings,
        (error, answer) => {
          if (error !== null) reject(error);
          else if (answer === undefined) reject(new Error("it answered nothing"));
          else resolve(answer);
        },
      );
    });
  try {
    return await talk(ask);
  } catch (cause) {
    throw new CastleError("talos/unreachable", {
      message: `The discovery service at ${serverName ?? address} did not ${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: "it forgets by itself 30 minutes after a node's last word",
      cause,
    });
  } finally {
    client.close();
  }
}
