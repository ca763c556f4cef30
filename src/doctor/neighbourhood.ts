import type { Chart } from "./disease.ts";
import type { Examination } from "./examination.ts";
import { services } from "./manifests/services.ts";
import { objectName } from "./manifests/manifest.ts";

/** Who an address of the castle's network belongs to, for people. */
export function ownerOf({ manifests, examination }: Chart, address: string): string | undefined {
  const castle = examination?.castle;
  const node = castle?.nodes.find((one) => one.address === address);
  if (node !== undefined) return node.name;
  if (castle?.network.vip === address) return "the VIP";
  const service = services(manifests).find(({ addresses }) => addresses.includes(address));
  return service === undefined ? undefined : objectName(service.manifest);
}

/** A network card by the node that it is in. */
export function cardName({ castle }: Examination, mac: string): string {
  const node = castle.nodes.find((one) => one.mac === mac);
  return node === undefined ? `${mac} (no machine of the castle)` : `${mac} (${node.name})`;
}

/** Why nothing can be said of who holds an address. */
export function arpUnknown({ lan }: Examination): string | undefined {
  if (lan.silent !== undefined) return lan.silent;
  return lan.holders === undefined ? "this machine has no way to ask the castle's network by ARP" : undefined;
}

/** Who answers ARP for an address; undefined: nobody was asked. */
export function holdersOf({ examination }: Chart, address: string): readonly string[] | undefined {
  const lan = examination?.lan;
  return lan === undefined || lan.silent !== undefined ? undefined : lan.holders?.get(address);
}
