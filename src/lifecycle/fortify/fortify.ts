import { CastleError } from "../../errors/castle-error.ts";
import { RegistryClient } from "../../image/registry-client.ts";
import { KubernetesApi } from "../../kubernetes/api.ts";
import { runStep } from "../../journal/step.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import type { Secret } from "../../support/secret.ts";
import type { CastleRun } from "../castle-run.ts";
import { acmeConfig } from "../../platform/acme-config.ts";
import { ingressAddress } from "../../platform/pool.ts";
import type { PlatformGround } from "../ground/ground.ts";
import { type Blueprint, drawBlueprint } from "./blueprint.ts";
import { allCertificatesValid } from "./certificates.ts";
import { ensureFlux } from "./flux.ts";
import { requestFetch } from "./flux-state.ts";
import { type GitAccess, ensureGitAccess } from "./git-access.ts";
import { hastenComponents } from "./hasten.ts";
import { type Authority, keepIssued, restoreKept } from "./kept-certificates.ts";
import type { PlatformMaterials } from "./materials.ts";
import { pagesServed } from "./pages.ts";
import { pushPlaceholder } from "./placeholder.ts";
import { type Publication, openRepository, publishPlatform } from "./publication.ts";
import { restorePullSecrets } from "./pull-logins.ts";
import { fluxSecrets } from "./secrets.ts";
import { applied, fetched, FluxView } from "./synchronised.ts";
import { webhookObjects } from "./webhook.ts";
import { onYoungApi } from "./young-api.ts";

/** What can be done before there is a cluster: the manifests lie in Git, the images in the registry. */
export interface Prepared {
  readonly ground: PlatformGround;
  readonly access: GitAccess;
  readonly blueprint: Blueprint;
  readonly publication: Publication;
  /** castle's own objects for the monitoring. */
  readonly webhook: readonly KubernetesObject[];
}

/** Renders the platform and publishes it to the repository; nothing in the cluster is touched. */
export async function prepareFortress(run: CastleRun, materials: PlatformMaterials): Promise<Prepared> {
  const { castle, report } = run;
  let prepared: Prepared | undefined;
  const step = { id: "gitops", title: "Platform in the GitOps repository" };
  await runStep(report, step, async () => {
    const webhook = await webhookObjects(run, materials.webhook);
    const ground = await run.ground.platform();
    const access = await ensureGitAccess(run, ground, { token: materials.gitToken });
    const registry = run.ownImages?.registry ?? labRegistry(ground);
    const pushed = registry === undefined ? undefined : pushPlaceholder(run, materials.placeholder, registry);
    const [blueprint, repository] = await Promise.all([
      drawBlueprint(castle, materials.manifests, ground, access.secret !== undefined),
      openRepository(run, materials.environment, ground, access),
      pushed,
    ]);
    const publication = await publishPlatform(run, repository, blueprint, materials.overwrite).catch(
      (error: unknown) => {
        throw withDeployKey(error, access);
      },
    );
    prepared = { ground, access, blueprint, publication, webhook };
    const { commit = "" } = publication;
    return { detail: `${publication.pushed ? "pushed" : "unchanged"} ${commit.slice(0, 8)}` };
  });
  if (prepared === undefined) throw new Error("the step ends with a result or an error");
  return prepared;
}

function labRegistry({ registry }: PlatformGround): RegistryClient | undefined {
  if (registry === undefined) return undefined;
  return new RegistryClient({ endpoint: `http://${registry.host}:${registry.port}` });
}

/** A key that was just made is refused until somebody lets it in. */
function withDeployKey(error: unknown, { deployKey }: GitAccess): unknown {
  if (!(error instanceof CastleError) || error.code !== "gitops/credentials" || deployKey === undefined) {
    return error;
  }
  const { message, details } = error;
  const hint = `add this deploy key to the repository, with leave to write, then: castle up\n    ${deployKey}`;
  return new CastleError("gitops/credentials", { message, hint, details, cause: error });
}

/** Milliseconds from the start of the run, by what had been reached. */
export interface Fortified {
  /** Flux runs all components at this revision. */
  readonly revision: string;
  /** Every site showed its page. */
  readonly pages: number;
  /** Where a browser on this machine opens each site, in the spec's order. */
  readonly urls: readonly string[];
}

/**
 * Hands the cluster over to Flux, and waits until all that Git says is there: components, certificates, pages.
 * @param access the administrator's kubeconfig, from here
 */
export async function fortify(
  run: CastleRun,
  preparing: Promise<Prepared>,
  access: Promise<Secret>,
  since: () => number,
): Promise<Fortified> {
  const [prepared, kubeconfig] = await Promise.all([preparing, access]);
  const { blueprint, ground, publication } = prepared;
  const { castle, report, store, signal } = run;
  const api = new KubernetesApi(kubeconfig);
  try {
    const view = new FluxView(api, signal);
    const certificates = await certificatesBack(run, api, ground);
    let installed = 0;
    await runStep(report, { id: "flux", title: "Flux" }, async () => {
      const secrets = [...(await fluxSecrets(run, prepared.access)), ...prepared.webhook];
      const sites = (castle.sites ?? []).map(({ name }) => name);
      await onYoungApi(run, () => restorePullSecrets({ sites, store, signal }, api));
      installed = await ensureFlux(run, api, { flux: blueprint.flux, secrets });
      return { detail: installed === 0 ? "stands" : `${installed} objects installed` };
    });
    let revision = "";
    await runStep(report, { id: "source", title: "Repository fetched by Flux" }, async () => {
      // What failed to be fetched may be mended now, and Flux waits longer after each failure.
      const failed = async () =>
        [...(await view.latest()).sources.values()].some(({ verdict }) => verdict.kind === "false");
      const stood = installed < blueprint.flux.length;
      const asked = stood && (publication.pushed || (await failed()));
      const handled = asked ? await requestFetch(api, blueprint.components, new Date(), signal) : undefined;
      revision = await fetched(run, view, blueprint.components, handled);
      return { detail: revision };
    });
    const done = new AbortController();
    const hastened = hastenComponents(view, AbortSignal.any([signal, done.signal]));
    const components = applied(run, view, blueprint.components).finally(() => done.abort());
    const pages = sitesServed(run, view, certificates).then(since);
    await Promise.all([components, pages, hastened]);
    const urls = await run.ground.siteUrls(castle.sites ?? [], ingressAddress(castle));
    return { revision, pages: await pages, urls };
  } finally {
    api.close();
  }
}

async function sitesServed(run: CastleRun, view: FluxView, authority: Authority): Promise<void> {
  if (!hasCertificates(run.castle)) return;
  await runStep(run.report, { id: "certificates", title: "Certificates" }, async () => {
    const valid = await allCertificatesValid(run, view, acmeConfig(run.castle, authority.acme).directory);
    // At once: whoever loses the castle now has them.
    await keepIssued(run, view.api, authority);
    return valid;
  });
  await runStep(run.report, { id: "pages", title: "Pages over HTTPS" }, () => pagesServed(run, authority));
}

function hasCertificates({ sites = [], ingress }: CastleRun["castle"]): boolean {
  return sites.length > 0 && ingress?.tls !== undefined;
}

/** Certificates of an earlier life come before Flux, which brings what would order new ones. */
async function certificatesBack(
  run: CastleRun,
  api: KubernetesApi,
  ground: PlatformGround,
): Promise<Authority> {
  let authority: Authority = { acme: ground.acme };
  if (!hasCertificates(run.castle)) return authority;
  const step = { id: "kept-certificates", title: "Kept certificates" };
  await runStep(run.report, step, async () => {
    const { restored, ...known } = await onYoungApi(run, () => restoreKept(run, api, ground));
    authority = known;
    return { detail: restored.length === 0 ? "none to restore" : `restored ${restored.join(", ")}` };
  });
  return authority;
}
