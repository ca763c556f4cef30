import type { NameServerAnswer } from "./examination.ts";
import { type Endpoint, endpointsOf } from "./manifests/endpoints.ts";
import { type Manifest, objectName } from "./manifests/manifest.ts";
import { type ServiceObject, services } from "./manifests/services.ts";

/** The one name that every cluster has. */
export const API_NAME = "kubernetes.default.svc.cluster.local";
/** Talos calls it so, whatever it runs there. */
export const NAME_SERVER = "Service kube-system/kube-dns";
const API = "Service default/kubernetes";

export function nameServerOf(manifests: readonly Manifest[]): ServiceObject | undefined {
  return services(manifests).find(({ manifest }) => objectName(manifest) === NAME_SERVER);
}

/** Its pods that take questions. */
export function readyNameServers(manifests: readonly Manifest[]): readonly Endpoint[] {
  const service = nameServerOf(manifests);
  return service === undefined ? [] : endpointsOf(service, manifests).filter(({ ready }) => ready);
}

/** What its pods answer that is not so; whoever was not reached said nothing. */
export function wrongAnswers(
  manifests: readonly Manifest[],
  answers: readonly NameServerAnswer[],
): readonly { readonly server: string; readonly message: string }[] {
  const expected = services(manifests).find(({ manifest }) => objectName(manifest) === API)?.clusterIP;
  return answers.flatMap(({ host, server, addresses, failed, unreached }) => {
    if (unreached !== undefined) return [];
    if (failed !== undefined) return [{ server, message: `asked for ${host} it does not answer: ${failed}` }];
    if (expected === undefined || addresses.includes(expected)) return [];
    const told = addresses.length === 0 ? "is not known to it" : `leads to ${addresses.join(", ")} by it`;
    return [{ server, message: `${host} ${told}, the API is at ${expected}` }];
  });
}
