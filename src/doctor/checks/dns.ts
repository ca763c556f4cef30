import type { Check } from "../check.ts";
import { whereItLeads } from "../diseases/site-name.ts";
import type { Finding } from "../finding.ts";
import { endpointsOf } from "../manifests/endpoints.ts";
import { services } from "../manifests/services.ts";
import { objectName } from "../manifests/manifest.ts";

export const dns: Check = {
  id: "dns",
  title: "The sites' names lead to the ingress, and pods have a name server",
  judge: ({ castle, lan, objects }) => {
    const outside = lan.silent === undefined ? lan.names : [];
    const findings = [
      ...outside.flatMap((name): Finding[] => {
        const wrong = name.failed === undefined ? whereItLeads(castle, name) : undefined;
        return wrong === undefined
          ? []
          : [{ severity: "critical", object: name.host, message: wrong, fix: "castle doctor" }];
      }),
      ...inside(objects),
    ];
    if (findings.length > 0) return findings;
    if (objects.silent !== undefined) return { unknown: objects.silent };
    if (lan.silent !== undefined) return { unknown: lan.silent };
    const mute = lan.names.find(({ failed }) => failed !== undefined);
    return mute === undefined ? [] : { unknown: `name server ${mute.server}: ${mute.failed}` };
  },
};

function inside(objects: Parameters<Check["judge"]>[0]["objects"]): readonly Finding[] {
  if (objects.silent !== undefined || objects.unread.has("EndpointSlice")) return [];
  const name = "Service kube-system/kube-dns";
  const service = services(objects.objects).find(({ manifest }) => objectName(manifest) === name);
  const ready = service !== undefined && endpointsOf(service, objects.objects).some((one) => one.ready);
  if (ready) return [];
  return [
    {
      severity: "critical",
      object: name,
      message:
        service === undefined ? "it is not there" : "no CoreDNS is ready: no pod finds another by its name",
      fix: "castle doctor",
    },
  ];
}
