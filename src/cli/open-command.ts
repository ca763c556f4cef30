import { CastleError } from "../errors/castle-error.ts";
import { ingressAddress } from "../platform/pool.ts";
import type { Castle, Site } from "../spec/castle.ts";
import { run } from "../support/run.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { standingGround } from "./standing-ground.ts";
import { readSpecFile } from "./spec-file.ts";

export interface OpenRequest {
  readonly file: string;
  readonly browser: boolean;
  readonly site: string | undefined;
}

/** @throws CastleError command/usage for a site that the spec does not have, lab/not-running */
export async function openSite(
  context: Context,
  { file, browser, site: name }: OpenRequest,
): Promise<AnswerOf<"SiteOpened">> {
  const { castle } = await readSpecFile(context, file);
  const site = chosenSite(castle, name);
  const ground = await standingGround(context, castle);
  const sites = castle.sites ?? [];
  const urls = await ground.siteUrls(sites, ingressAddress(castle));
  const url = urls[sites.indexOf(site)];
  if (url === undefined) {
    throw new CastleError("command/usage", {
      message: `${site.name} has no address: the spec gives the ingress none`,
      hint: "gitops and loadBalancer.pool in castle.yaml, then: castle up",
    });
  }
  if (browser) await run("xdg-open", [url], { signal: context.signal });
  return { kind: "SiteOpened", data: { site: site.name, host: site.host, url }, text: url };
}

function chosenSite({ sites = [] }: Castle, name: string | undefined): Site {
  const [only, ...others] = sites;
  if (name === undefined && only !== undefined && others.length === 0) return only;
  const site = sites.find((one) => one.name === name);
  if (site !== undefined) return site;
  const known = sites.map((one) => one.name).join(", ");
  throw new CastleError("command/usage", {
    message:
      name === undefined
        ? `Which site? The spec has ${known === "" ? "none" : known}`
        : `The spec has no site ${name}, only ${known === "" ? "none" : known}`,
    hint: known === "" ? "sites: in castle.yaml" : "castle open SITE",
  });
}
