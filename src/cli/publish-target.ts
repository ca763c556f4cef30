import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { parseImageName } from "../image/image-name.ts";
import { RegistryClient } from "../image/registry-client.ts";
import { KubernetesApi } from "../kubernetes/api.ts";
import { keepPullLogin } from "../lifecycle/fortify/pull-logins.ts";
import { FLUX_NAMESPACE } from "../platform/flux-controller.ts";
import { ingressAddress } from "../platform/pool.ts";
import { siteNamespace } from "../platform/site-names.ts";
import { siteTrust } from "../platform/site-trust.ts";
import { platformImages } from "../platform/surroundings.ts";
import { SYNC_NAME } from "../platform/synchronisation.ts";
import type { Delivery, DeliveryCluster, DeliveryManifests } from "../publish/delivery/delivery.ts";
import type { Visit } from "../publish/delivery/visit.ts";
import { webVisit } from "../publish/delivery/web-visit.ts";
import type { Site } from "../spec/castle.ts";
import { formatFaults } from "../spec/fault-text.ts";
import { isPublication, parsePublication, type Publication } from "../spec/publication.ts";
import { Secret } from "../support/secret.ts";
import { accessFile } from "./access-session.ts";
import { castleManifests } from "./castle-manifests.ts";
import type { Context } from "./context.ts";
import { type OnManifests, type OpenManifests, withManifestsCopy } from "./manifests-copy.ts";
import { siteRegistry } from "./registry-session.ts";
import { secretStore } from "./secret-store.ts";
import { standingGround } from "./standing-ground.ts";
import { readSpecFile, type SpecFile } from "./spec-file.ts";

/** Where a site is published to: all of a delivery but what one run brings along. */
export interface PublishTarget {
  readonly site: Site;
  /** The castle that it is published to; undefined: the file names sites alone. */
  readonly castle: SpecFile | undefined;
  /** What relative folders of the file are relative to. */
  readonly folder: string;
  readonly registry: RegistryClient;
  readonly pull: Delivery["pull"];
  readonly image: Delivery["image"];
  readonly manifests: DeliveryManifests;
  readonly cluster: DeliveryCluster | undefined;
  readonly visit: Visit | undefined;
  /** What a browser on this machine opens; undefined: the site's own address. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

export interface TargetChoice {
  readonly file: string;
  readonly site: string | undefined;
  /** Hosts of registries that speak plain HTTP. */
  readonly insecure: readonly string[];
}

/** A site of the file, whose source can be looked at while castle, registry and repository are looked for. */
export interface FoundSite extends Pick<PublishTarget, "site" | "folder"> {
  /**
   * @param onManifests is told the manifests' repository as soon as it can be asked, and what it does is waited for
   * @throws CastleError lifecycle/not-raised, image/credentials …
   */
  open(onManifests?: OnManifests): Promise<PublishTarget>;
}

/** @throws CastleError publish/no-site, spec/… */
export async function findSite(context: Context, choice: TargetChoice): Promise<FoundSite> {
  const path = resolve(context.cwd, choice.file);
  const text = await readFile(path, "utf8").catch(() => "");
  if (!isPublication(text)) {
    const spec = await readSpecFile(context, choice.file);
    const site = chooseSite(spec.castle.sites ?? [], choice);
    return {
      site,
      folder: spec.folder,
      open: (onManifests) =>
        withManifestsCopy(context, onManifests, (openManifests) =>
          castleTarget(context, { spec, site, openManifests }, choice),
        ),
    };
  }
  const parsed = parsePublication(text, choice.file);
  if ("faults" in parsed) {
    throw new CastleError("spec/invalid", {
      message: formatFaults(parsed.faults, text),
      hint: "mend the file; docs/ci.md shows one",
      details: { faults: parsed.faults },
    });
  }
  const { gitops, sites } = parsed.publication;
  const site = chooseSite(sites, choice);
  const folder = dirname(path);
  return {
    site,
    folder,
    open: (onManifests) =>
      withManifestsCopy(context, onManifests, (openManifests) =>
        aloneTarget(context, { gitops, site, folder, openManifests }, choice),
      ),
  };
}

type OpenTarget = Omit<PublishTarget, "close"> & { readonly close: () => void };

interface CastleSite {
  readonly spec: SpecFile;
  readonly site: Site;
  readonly openManifests: OpenManifests;
}

async function castleTarget(
  context: Context,
  { spec, site, openManifests }: CastleSite,
  choice: TargetChoice,
): Promise<OpenTarget> {
  const { castle } = spec;
  const { signal } = context;
  const { gitops } = castle;
  if (gitops === undefined) {
    throw new CastleError("platform/not-installed", {
      message: `Castle ${castle.name} has no gitops in its spec, so no site runs on it`,
      hint: "add gitops to castle.yaml, then: castle up",
    });
  }
  const store = secretStore(context, spec);
  const ground = await standingGround(context, castle);
  const ingress = castle.ingress === undefined ? undefined : ingressAddress(castle);
  const platform = ground.platform();
  const [surroundings, repository, kubeconfig, urls] = await Promise.all([
    platform,
    castleManifests({ name: castle.name, gitops, store }, platform, openManifests),
    accessFile(context, spec, { kind: "kubeconfig", store }),
    ground.siteUrls(castle.sites ?? [], ingress),
  ]);
  const { acme } = surroundings;
  const secure = castle.ingress?.tls !== undefined;
  const visit =
    ingress === undefined
      ? undefined
      : webVisit({
          host: site.host,
          secure,
          at: await ground.reach(ingress, secure ? 443 : 80),
          ...siteTrust(castle, acme?.roots),
        });
  const api = new KubernetesApi(kubeconfig.content);
  const image = parseImageName(site.image);
  const own = surroundings.registry;
  const placeholder = platformImages(castle).placeholder;
  const namespace = siteNamespace(site.name);
  const { registry, pull } =
    own === undefined
      ? await siteRegistry(context, image, choice.insecure, (login) => keepPullLogin(store, site.name, login))
      : {
          registry: new RegistryClient({ endpoint: `http://${own.host}:${own.port}`, signal }),
          pull: undefined,
        };
  return {
    site,
    castle: spec,
    folder: spec.folder,
    image,
    registry,
    pull,
    manifests: {
      repository,
      folder: gitops.path,
      isPlaceholder: ({ name, object }) =>
        placeholder.startsWith(`${name}:`) && object?.namespace === namespace,
    },
    cluster: { api, source: { namespace: FLUX_NAMESPACE, name: SYNC_NAME } },
    visit,
    url: urls[castle.sites?.indexOf(site) ?? -1],
    close: () => api.close(),
  };
}

interface AloneSite extends Pick<FoundSite, "site" | "folder"> {
  readonly gitops: Publication["gitops"];
  readonly openManifests: OpenManifests;
}

async function aloneTarget(
  context: Context,
  { gitops, site, folder, openManifests }: AloneSite,
  choice: TargetChoice,
): Promise<OpenTarget> {
  const image = parseImageName(site.image);
  const kubeconfig = await toldKubeconfig(context);
  const api = kubeconfig === undefined ? undefined : new KubernetesApi(kubeconfig);
  return {
    site,
    castle: undefined,
    folder,
    image,
    ...(await siteRegistry(context, image, choice.insecure, undefined)),
    manifests: {
      repository: await openManifests({
        url: gitops.repository,
        branch: gitops.branch,
        credentials: undefined,
        email: `castle@${site.host}`,
      }),
      ...(gitops.path === undefined ? {} : { folder: gitops.path }),
    },
    cluster: api === undefined ? undefined : { api },
    url: undefined,
    visit: api === undefined ? undefined : webVisit({ host: site.host, secure: true }),
    close: () => api?.close(),
  };
}

/** @throws CastleError publish/no-site */
export function chooseSite(
  sites: readonly Site[],
  { site: wanted, file }: Pick<TargetChoice, "site" | "file">,
): Site {
  const [only, ...others] = sites;
  const found =
    wanted === undefined && others.length === 0 ? only : sites.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = sites.map(({ name }) => name).join(", ");
  throw new CastleError("publish/no-site", {
    message:
      sites.length === 0
        ? `${file} has no site`
        : wanted === undefined
          ? `${file} has several sites, and none was named: ${names}`
          : `${file} has no site ${wanted}; it has ${names}`,
    hint: sites.length === 0 ? "add one under sites" : "name it: castle publish SITE",
  });
}

/** Only one that was told: whoever publishes from a folder does not mean whatever cluster he looked at last. */
async function toldKubeconfig({ env, cwd }: Context): Promise<Secret | undefined> {
  const told = env["KUBECONFIG"];
  if (told === undefined || told === "") return undefined;
  const text = await readFile(resolve(cwd, told), "utf8").catch((cause: unknown) => {
    throw new CastleError("kubernetes/kubeconfig", {
      message: `KUBECONFIG names ${told}, which cannot be read`,
      hint: "unset KUBECONFIG to end with the commit, or point it at one kubeconfig",
      cause,
    });
  });
  return new Secret(text);
}
