import type { Check } from "../check.ts";
import type { Door } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { services } from "../manifests/services.ts";
import { objectName } from "../manifests/manifest.ts";

/** The way of a visitor, hop by hop: what one hop refuses, the next is not asked for. */
export const loadBalancers: Check = {
  id: "load-balancers",
  title: "Every load balancer's address answers: ARP, TCP, TLS, HTTP",
  judge: ({ lan, objects }) => {
    if (lan.silent !== undefined) return { unknown: lan.silent };
    const { holders, doors } = lan;
    const pending = objects.silent === undefined ? services(objects.objects) : [];
    const unheld = new Set(
      doors.filter(({ address }) => holders?.get(address)?.length === 0).map(({ address }) => address),
    );
    const findings = [
      ...pending
        .filter(({ type, addresses }) => type === "LoadBalancer" && addresses.length === 0)
        .map(({ manifest }) => sick(objectName(manifest), "it has no address")),
      ...[...unheld].map((address) => sick(address, "nobody answers ARP for it")),
      ...doors
        .filter(({ address }) => (holders?.get(address)?.length ?? 0) > 1)
        .map(({ address }) => sick(address, `${holders?.get(address)?.length} machines answer ARP for it`)),
      ...doors.filter(({ address }) => !unheld.has(address)).flatMap(ofDoor),
    ];
    if (findings.length > 0) return findings;
    return objects.silent === undefined ? [] : { unknown: objects.silent };
  },
};

function ofDoor({ address, port, service, refused, pages }: Door): readonly Finding[] {
  if (refused !== undefined)
    return [sick(`${address}:${port}`, `Service ${service} does not answer: ${refused}`)];
  return pages.flatMap(({ host, status, failed }) => {
    const object = `https://${host}/`;
    if (failed !== undefined) return [sick(object, failed)];
    return status === undefined || status >= 400
      ? [sick(object, `it answers with ${status ?? "nothing"}`)]
      : [];
  });
}

function sick(object: string, message: string): Finding {
  return { severity: "critical", object, message, fix: "castle doctor" };
}
