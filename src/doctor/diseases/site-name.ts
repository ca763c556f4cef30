import { ingressAddress } from "../../platform/pool.ts";
import { parseAddress, parseCidr } from "../../spec/address.ts";
import type { Castle } from "../../spec/castle.ts";
import type { Disease, Sought } from "../disease.ts";
import type { NameAnswer } from "../examination.ts";

/** Visitors, and the authority that issues certificates, look somewhere else. */
export const siteName: Disease = {
  id: "site-name",
  title: "A site's host does not lead to the ingress",
  unknown: ({ lan, castle }) => {
    if (lan.silent !== undefined) return lan.silent;
    const silent = lan.names.find(({ failed }) => failed !== undefined);
    return silent === undefined || (castle.sites ?? []).length === 0
      ? undefined
      : `name server ${silent.server}: ${silent.failed}`;
  },
  diagnose: ({ examination }) => {
    if (examination === undefined || examination.lan.silent !== undefined) return [];
    const { castle, lan } = examination;
    return lan.names.flatMap((name): Sought[] => {
      const wrong = whereItLeads(castle, name);
      if (wrong === undefined) return [];
      const ingress = ingressAddress(castle) ?? "";
      return [
        {
          severity: "critical",
          object: name.host,
          message: wrong,
          evidence: [
            `name server ${name.server}: ${name.host} ${name.addresses.length === 0 ? "is not known" : `is ${name.addresses.join(", ")}`}`,
            `the ingress is at ${ingress}`,
          ],
          fix: `an A record: ${name.host} → ${ingress}`,
          command:
            castle.hypervisor.kind === "lab"
              ? "castle up"
              : `at your name server: ${name.host}. A ${ingress}`,
        },
      ];
    });
  },
};

/** An address outside of the castle's network may be its router's, which leads in. */
export function whereItLeads(castle: Castle, { host, addresses }: NameAnswer): string | undefined {
  const ingress = ingressAddress(castle);
  if (ingress === undefined || addresses.includes(ingress)) return undefined;
  if (addresses.length === 0) return `no name server of the castle's network knows ${host}`;
  const network = parseCidr(castle.network.cidr);
  const inside = addresses.filter((text) => {
    const address = parseAddress(text) ?? -1;
    return network !== undefined && network.base <= address && address <= network.last;
  });
  return inside.length === 0 ? undefined : `it leads to ${inside.join(", ")}, the ingress is at ${ingress}`;
}
