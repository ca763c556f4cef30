import { parseDocument } from "yaml";
import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";

/** The extension in which a kubeconfig of castle's says where else its API is; kubectl passes over it. */
export const ALTERNATIVES = "castle.dev/alternatives";

/**
 * The same kubeconfig with every cluster's server replaced, for example by a forward on the loopback.
 * @param server https://host:port
 * @param alternatives the same API elsewhere, for those who can choose
 * @throws CastleError kubernetes/kubeconfig
 */
export function withServer(kubeconfig: Secret, server: string, alternatives: readonly string[] = []): Secret {
  const document = parseDocument(kubeconfig.reveal());
  const clusters: unknown = document.toJS()?.clusters;
  if (!Array.isArray(clusters) || clusters.length === 0) {
    throw new CastleError("kubernetes/kubeconfig", { message: "The kubeconfig names no cluster" });
  }
  const extensions = [{ name: ALTERNATIVES, extension: { servers: alternatives } }];
  for (const index of clusters.keys()) {
    document.setIn(["clusters", index, "cluster", "server"], server);
    if (alternatives.length > 0) document.setIn(["clusters", index, "cluster", "extensions"], extensions);
  }
  return new Secret(document.toString());
}
