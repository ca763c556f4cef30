/** What a registry asks for when it answers 401. */
export type RegistryChallenge =
  | { readonly scheme: "basic" }
  | {
      readonly scheme: "bearer";
      readonly realm: string;
      readonly service?: string;
      readonly scope?: string;
    };

/** Reads a WWW-Authenticate header; undefined if neither Basic nor Bearer is in it. */
export function parseRegistryChallenge(header: string): RegistryChallenge | undefined {
  const scheme = /^\s*(\w+)/.exec(header)?.[1]?.toLowerCase();
  if (scheme === "basic") return { scheme };
  if (scheme !== "bearer") return undefined;
  const values = new Map<string, string>();
  for (const match of header.matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/g)) {
    const key = match[1];
    if (key !== undefined) values.set(key.toLowerCase(), match[2] ?? match[3] ?? "");
  }
  const realm = values.get("realm");
  if (realm === undefined) return undefined;
  const service = values.get("service");
  const scope = values.get("scope");
  return {
    scheme,
    realm,
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  };
}
