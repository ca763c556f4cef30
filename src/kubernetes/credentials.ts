import { parse } from "yaml";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { Secret } from "../support/secret.ts";
import { ALTERNATIVES } from "./kubeconfig.ts";

const kubeconfigShape = z.object({
  "current-context": z.string(),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.url(),
        "certificate-authority-data": z.string().optional(),
        "tls-server-name": z.string().optional(),
        extensions: z.array(z.object({ name: z.string(), extension: z.unknown() })).optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.object({
        "client-certificate-data": z.string().optional(),
        "client-key-data": z.string().optional(),
        token: z.string().optional(),
      }),
    }),
  ),
});

const alternativesShape = z.object({ servers: z.array(z.url()) });

/** What a kubeconfig's current context says: where the API is, and how both sides prove who they are. */
export interface ApiCredentials {
  readonly server: URL;
  /** Where else the same API is. */
  readonly alternatives: readonly URL[];
  readonly token: string | undefined;
  readonly tls: {
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
    readonly servername?: string;
  };
}

/** @throws CastleError kubernetes/kubeconfig */
export function readCredentials(kubeconfig: Secret): ApiCredentials {
  const found = kubeconfigShape.safeParse(parse(kubeconfig.reveal()));
  const context = found.data?.contexts.find(({ name }) => name === found.data["current-context"])?.context;
  const cluster = found.data?.clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const user = found.data?.users.find(({ name }) => name === context?.user)?.user;
  if (cluster === undefined || user === undefined) {
    throw new CastleError("kubernetes/kubeconfig", {
      message: "The kubeconfig has no current context with a cluster and a user in it",
      hint: "castle kubeconfig writes a fresh one",
    });
  }
  const others = cluster.extensions?.find(({ name }) => name === ALTERNATIVES)?.extension;
  const ca = decoded(cluster["certificate-authority-data"]);
  const cert = decoded(user["client-certificate-data"]);
  const key = decoded(user["client-key-data"]);
  const servername = cluster["tls-server-name"];
  return {
    server: new URL(cluster.server),
    alternatives: (alternativesShape.safeParse(others).data?.servers ?? []).map((server) => new URL(server)),
    token: user.token,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
    },
  };
}

function decoded(data: string | undefined): Buffer | undefined {
  return data === undefined ? undefined : Buffer.from(data, "base64");
}
