import { CastleError } from "../../errors/castle-error.ts";
import type { RemoteName } from "../../gitops/failure.ts";
import type { DeliveryCluster } from "./delivery.ts";
import {
  type FluxKustomization,
  type FluxSource,
  fluxKustomizations,
  fluxSources,
  readyCondition,
} from "./flux-objects.ts";

/** The Flux objects that bring a file of the repository into the cluster. */
export interface FluxFollower {
  readonly source: FluxSource;
  readonly kustomizations: readonly FluxKustomization[];
  /** What is odd about them and may be just what this release mends. */
  readonly warnings: readonly string[];
}

/** All that Flux has in a cluster to follow repositories with. */
export interface FluxObjects {
  readonly sources: readonly FluxSource[];
  readonly kustomizations: readonly FluxKustomization[];
  /** A GitRepository that follows the manifests; they are found by address and branch unless told. */
  readonly told: DeliveryCluster["source"];
}

/** @throws CastleError publish/flux, kubernetes/unreachable, kubernetes/refused */
export async function fluxObjects(
  { api, source: told }: DeliveryCluster,
  signal: AbortSignal,
): Promise<FluxObjects> {
  const [sources, kustomizations] = await Promise.all([
    fluxSources(api, signal),
    fluxKustomizations(api, signal),
  ]);
  return { sources, kustomizations, told };
}

/**
 * Finds who follows the repository and applies the file, and refuses where nobody would take the release in.
 * @throws CastleError publish/flux
 */
export function findFollower(
  { sources, kustomizations: all, told }: FluxObjects,
  remote: RemoteName,
  file: string,
): FluxFollower {
  const candidates = chooseSources(sources, remote, told);
  const following = all.flatMap((kustomization) => {
    const source = candidates.find((one) => follows(kustomization, one));
    return source === undefined ? [] : [{ source, kustomization, depth: depthOver(kustomization, file) }];
  });
  // Overlays and bases lie elsewhere than what names them: then whoever applies anything may apply this. Several may
  // follow one repository, each by a source of its own: who is nearest to the file is the one that applies it.
  const nearest = following.toSorted((one, other) => other.depth - one.depth)[0];
  if (nearest === undefined) {
    throw refused(
      `No Kustomization applies what ${candidates.map(title).join(" or ")} fetches`,
      "flux get kustomizations -A",
    );
  }
  const { source } = nearest;
  const kustomizations = following
    .filter((one) => one.source === source && one.depth >= 0 === nearest.depth >= 0)
    .map(({ kustomization }) => kustomization);
  checkSource(source, remote);
  return { source, kustomizations, warnings: kustomizations.flatMap(checkKustomization) };
}

function follows({ spec: { sourceRef }, metadata }: FluxKustomization, source: FluxSource): boolean {
  return (
    sourceRef.kind === "GitRepository" &&
    sourceRef.name === source.metadata.name &&
    (sourceRef.namespace ?? metadata.namespace) === source.metadata.namespace
  );
}

/** All that follow the repository's branch; where none does, one that follows another branch of it. */
function chooseSources(
  sources: readonly FluxSource[],
  remote: RemoteName,
  told: DeliveryCluster["source"],
): readonly FluxSource[] {
  const named = sources.find(
    ({ metadata }) => metadata.name === told?.name && metadata.namespace === told.namespace,
  );
  if (named !== undefined) return sources.filter((one) => isAlike(one, named));
  const following = sources.filter(({ spec }) => address(spec.url) === address(remote.url));
  const onBranch = following.filter(({ spec }) => (spec.ref?.branch ?? "master") === remote.branch);
  if (onBranch.length > 0) return onBranch;
  if (following.length > 0) return following.slice(0, 1);
  const seen = sources.map((one) => `${title(one)} ${one.spec.url}`);
  throw refused(
    `No GitRepository of the cluster follows ${remote.url}${seen.length === 0 ? ": Flux has none" : `; there are ${seen.join(", ")}`}`,
    "flux create source git, or mend gitops.repository",
  );
}

function isAlike(one: FluxSource, other: FluxSource): boolean {
  return address(one.spec.url) === address(other.spec.url) && one.spec.ref?.branch === other.spec.ref?.branch;
}

function checkSource(source: FluxSource, { branch }: RemoteName): void {
  const { spec, status } = source;
  const follows = spec.ref?.branch;
  if (follows !== branch) {
    throw refused(
      `${title(source)} follows ${follows === undefined ? "no branch" : `the branch ${follows}`}, and castle commits to ${branch}`,
      `set gitops.branch to ${follows ?? "the branch that Flux follows"}`,
    );
  }
  if (spec.suspend === true) throw refused(`${title(source)} is suspended`, resume("source git", source));
  const ready = readyCondition(status?.conditions);
  if (ready?.status === "False") {
    throw refused(
      `${title(source)} is not ready: ${ready.reason ?? ""}: ${ready.message ?? ""}`,
      `kubectl -n ${source.metadata.namespace} describe gitrepository ${source.metadata.name}`,
    );
  }
}

/** Unhealthy objects are what the next release may mend; what cannot even be built is not. */
function checkKustomization(one: FluxKustomization): readonly string[] {
  if (one.spec.suspend === true) throw refused(`${title(one)} is suspended`, resume("kustomization", one));
  const ready = readyCondition(one.status?.conditions);
  if (ready?.status !== "False") return [];
  const words = `${title(one)} is not ready: ${ready.reason ?? ""}: ${ready.message ?? ""}`;
  if (ready.reason === "BuildFailed" || ready.reason === "ArtifactFailed") {
    throw refused(words, `kubectl -n ${one.metadata.namespace} describe kustomization ${one.metadata.name}`);
  }
  return [words];
}

export function title({ metadata: { namespace, name }, ...rest }: FluxSource | FluxKustomization): string {
  return `${"url" in rest.spec ? "GitRepository" : "Kustomization"} ${namespace}/${name}`;
}

function resume(kind: string, { metadata: { namespace, name } }: FluxSource | FluxKustomization): string {
  return `flux -n ${namespace} resume ${kind} ${name}`;
}

function refused(message: string, hint: string): CastleError {
  return new CastleError("publish/flux", { message, hint });
}

/** git@host:path, ssh://git@host/path, https://host/path.git and file:// addresses of one repository, as one text. */
function address(url: string): string {
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(url);
  const plain = scp === null ? url.replace(/^[a-z+]+:\/\/(?:[^@/]*@)?/i, "") : `${scp[1]}/${scp[2]}`;
  return plain
    .replace(/:\d+\//, "/")
    .replace(/\/+$/, "")
    .replace(/\.git$/, "")
    .toLowerCase();
}

/** How many characters of the file's path are the Kustomization's folder; -1: it does not hold the file. */
function depthOver({ spec: { path = "." } }: FluxKustomization, file: string): number {
  const folder = path.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
  if (folder === "" || folder === ".") return 0;
  return file.startsWith(`${folder}/`) ? folder.length : -1;
}
