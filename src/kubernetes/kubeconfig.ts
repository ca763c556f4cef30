import { parseDocument } from "yaml";
import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";

/**
 * The same kubeconfig with every cluster's server replaced, for example by a forward on the loopback.
 * @param server https://host:port
 * @throws CastleError kubernetes/kubeconfig
 */
export function withServer(kubeconfig: Secret, server: string): Secret {
  const document = parseDocument(kubeconfig.reveal());
  const clusters: unknown = document.toJS()?.clusters;
  if (!Array.isArray(clusters) || clusters.length === 0) {
    throw new CastleError("kubernetes/kubeconfig", { message: "The kubeconfig names no cluster" });
  }
  for (const index of clusters.keys()) document.setIn(["clusters", index, "cluster", "server"], server);
  return new Secret(document.toString());
}
