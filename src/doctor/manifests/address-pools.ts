import { z } from "zod";
import { type AddressRange, parseCidr, parseRange } from "../../spec/address.ts";
import type { Manifest } from "./manifest.ts";
import { objectName } from "./manifest.ts";

const Pool = z.object({ spec: z.object({ addresses: z.array(z.string()).default([]) }) });
const Advertisement = z.object({
  spec: z
    .object({
      ipAddressPools: z.array(z.string()).default([]),
      ipAddressPoolSelectors: z.array(z.unknown()).default([]),
    })
    .default({ ipAddressPools: [], ipAddressPoolSelectors: [] }),
});

/** A pool of MetalLB. */
export interface AddressPool {
  readonly manifest: Manifest;
  /** IPAddressPool NAMESPACE/NAME */
  readonly object: string;
  readonly ranges: readonly AddressRange[];
  /** As written. */
  readonly text: string;
}

export function addressPools(manifests: readonly Manifest[]): readonly AddressPool[] {
  return manifests.flatMap((manifest): AddressPool[] => {
    if (manifest.kind !== "IPAddressPool") return [];
    const addresses = Pool.safeParse(manifest.body).data?.spec.addresses ?? [];
    return [
      {
        manifest,
        object: objectName(manifest),
        ranges: addresses.flatMap((text) => rangeOf(text) ?? []),
        text: addresses.join(", "),
      },
    ];
  });
}

function rangeOf(text: string): AddressRange | undefined {
  const network = parseCidr(text);
  return network === undefined ? parseRange(text) : { first: network.base, last: network.last };
}

/** Whether some L2Advertisement tells the nodes to answer for a pool; a selector may mean any. */
export function isAdvertised({ manifest }: AddressPool, manifests: readonly Manifest[]): boolean {
  return manifests.some((other) => {
    if (other.kind !== "L2Advertisement" || other.namespace !== manifest.namespace) return false;
    const spec = Advertisement.safeParse(other.body).data?.spec;
    if (spec === undefined) return false;
    if (spec.ipAddressPools.length === 0) return true;
    return spec.ipAddressPoolSelectors.length > 0 || spec.ipAddressPools.includes(manifest.name);
  });
}
