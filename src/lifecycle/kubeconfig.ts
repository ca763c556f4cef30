import { withServer } from "../kubernetes/kubeconfig.ts";
import type { Secret } from "../support/secret.ts";
import type { Endpoint } from "../talos/client.ts";
import type { CastleRun } from "./castle-run.ts";

/** The kubeconfig that works from here: on a rack the VIP, against a lab a forward on the loopback. */
export async function kubeconfigFromHere(run: Pick<CastleRun, "ground">, lan: Secret): Promise<Secret> {
  const [first, ...others] = await run.ground.api();
  return withServer(lan, server(first), others.map(server));
}

function server({ host, port }: Endpoint): string {
  return `https://${host}:${port}`;
}
