import { NamedRef, type NamedRefOptions } from "../../gitops/named-ref.ts";
import type { Carrier } from "./carrier.ts";

/** A ref in the GitOps repository, which every operator of the castle can push to. */
export async function gitCarrier(castle: string, options: Omit<NamedRefOptions, "ref">): Promise<Carrier> {
  const ref = `refs/castle/${castle}/lock`;
  const named = await NamedRef.open({ ...options, ref });
  return {
    description: `${ref} in ${options.url}`,
    read: async () => {
      const found = await named.read();
      return found === undefined ? undefined : { text: found.text, version: found.commit };
    },
    take: (text, seen) => named.write(text, seen?.version),
    renew: (text, own) => named.write(text, own.version),
    release: async ({ version }) => {
      await named.remove(version);
    },
    close: () => Promise.resolve(),
  };
}
