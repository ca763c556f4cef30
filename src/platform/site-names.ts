import { sha256 } from "../support/sha256.ts";

/** The objects of a site, inside of its namespace. */
export const SITE = "web";
export const SITE_CERTIFICATE = "web-tls";

const LONGEST = 63;

/**
 * A site's namespace. Names that would be too long are cut and told apart by a hash; the objects inside are called
 * the same in every site, because a Service may not begin with a digit and a site may.
 */
export function siteNamespace(site: string): string {
  const name = `site-${site}`;
  if (name.length <= LONGEST) return name;
  const hash = sha256(site).slice(0, 8);
  return `${name.slice(0, LONGEST - 9).replace(/-+$/, "")}-${hash}`;
}
