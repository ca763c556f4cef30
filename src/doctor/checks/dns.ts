import type { Check } from "../check.ts";
import { whereItLeads } from "../diseases/site-name.ts";
import { NAME_SERVER, nameServerOf, readyNameServers, wrongAnswers } from "../cluster-dns.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

export const dns: Check = {
  id: "dns",
  title: "The sites' names lead to the ingress, and pods have a name server that answers",
  judge: (examination) => {
    const { castle, lan, objects, nameServers } = examination;
    const outside = lan.silent === undefined ? lan.names : [];
    const findings = [
      ...outside.flatMap((name): Finding[] => {
        const wrong = name.failed === undefined ? whereItLeads(castle, name) : undefined;
        return wrong === undefined ? [] : [sick(name.host, wrong)];
      }),
      ...inside(examination),
    ];
    if (findings.length > 0) return findings;
    if (objects.silent !== undefined) return { unknown: objects.silent };
    if (lan.silent !== undefined) return { unknown: lan.silent };
    const unasked = nameServers.find(({ unreached }) => unreached !== undefined);
    if (unasked !== undefined) return { unknown: `${unasked.server}: ${unasked.unreached}` };
    const mute = lan.names.find(({ failed }) => failed !== undefined);
    return mute === undefined ? [] : { unknown: `name server ${mute.server}: ${mute.failed}` };
  },
};

/** What the objects say, and where they say that all is well what the name servers themselves do. */
function inside({ objects, nameServers }: Examination): readonly Finding[] {
  if (objects.silent !== undefined || objects.unread.has("EndpointSlice")) return [];
  if (readyNameServers(objects.objects).length === 0) {
    return [
      sick(
        NAME_SERVER,
        nameServerOf(objects.objects) === undefined
          ? "it is not there"
          : "no CoreDNS is ready: no pod finds another by its name",
      ),
    ];
  }
  return wrongAnswers(objects.objects, nameServers).map(({ server, message }) => sick(server, message));
}

function sick(object: string, message: string): Finding {
  return { severity: "critical", object, message, fix: "castle doctor" };
}
