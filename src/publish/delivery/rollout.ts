import { CastleError } from "../../errors/castle-error.ts";
import type { ImagePlace } from "../../gitops/edit/image-place.ts";
import { referenceParts } from "../../gitops/edit/reference-parts.ts";
import { poll } from "../../support/poll.ts";
import type { Delivery, DeliveryCluster, ReleaseName } from "./delivery.ts";
import { rolloutError, rolloutFault } from "./rollout-fault.ts";
import { containerOf, type Pod, podsOf, readWorkload, type Workload, workloadsOf } from "./workload.ts";

/** A Deployment that runs the release in all of its pods. */
export interface RolledOut {
  readonly workload: Workload;
  readonly pods: readonly Pod[];
}

const EVERY = 100;

/**
 * Waits until every pod of every Deployment that runs the site's image runs this release, and no other pod is left
 * that visitors are sent to.
 * @throws CastleError publish/rollout at once with the cluster's own words, kubernetes/unreachable
 */
export async function rolledOut(
  delivery: Delivery,
  cluster: DeliveryCluster,
  { release, place }: { readonly release: ReleaseName; readonly place: ImagePlace },
): Promise<readonly RolledOut[]> {
  const { signal, patience, site, report } = delivery;
  const watch = new Watch(delivery, cluster, release, place);
  let told = "";
  return poll(
    async () => {
      const { done, progress } = await watch.look();
      if (progress !== told) {
        told = progress;
        report({ type: "progress", id: "publish-rollout", message: progress });
      }
      return done;
    },
    {
      every: EVERY,
      within: patience,
      signal,
      onTimeout: () =>
        new CastleError("publish/rollout", {
          message: `${site.name} is not rolled out after ${Math.round(patience / 1_000)} s: ${told}`,
          hint: "kubectl get deployments,pods -A; castle publish --resume looks again",
        }),
    },
  );
}

class Watch {
  readonly #delivery: Delivery;
  readonly #cluster: DeliveryCluster;
  readonly #release: ReleaseName;
  readonly #object: ImagePlace["object"];

  constructor(delivery: Delivery, cluster: DeliveryCluster, release: ReleaseName, place: ImagePlace) {
    this.#delivery = delivery;
    this.#cluster = cluster;
    this.#release = release;
    this.#object = place.object;
  }

  async look(): Promise<{ readonly done: readonly RolledOut[] | undefined; readonly progress: string }> {
    const workloads = await this.#workloads();
    const current = workloads.filter((workload) => this.#isCurrent(workload.spec.template.spec));
    if (workloads.length === 0)
      return { done: undefined, progress: "no Deployment runs the site's image yet" };
    if (current.length < workloads.length) {
      return { done: undefined, progress: "Flux has not brought the release to the Deployment yet" };
    }
    const all = await Promise.all(current.map((workload) => this.#one(workload)));
    const done = all.every(({ isDone }) => isDone) ? all : undefined;
    return { done, progress: all.map(({ progress }) => progress).join(", ") };
  }

  /** The one that the manifest names; otherwise, behind a Kustomization or a chart, those that run the image. */
  async #workloads(): Promise<readonly Workload[]> {
    const { api } = this.#cluster;
    const { signal, site } = this.#delivery;
    const object = this.#object;
    if (object?.kind === "Deployment" && object.namespace !== undefined) {
      const { namespace, name } = object;
      const found = await readWorkload(api, { namespace, name }, signal);
      return found === undefined ? [] : [found];
    }
    return workloadsOf(api, site.image, signal);
  }

  #isCurrent(spec: Parameters<typeof containerOf>[0]): boolean {
    const container = containerOf(spec, this.#delivery.site.image);
    return container !== undefined && referenceParts(container.image).digest === this.#release.digest;
  }

  async #one(
    workload: Workload,
  ): Promise<RolledOut & { readonly isDone: boolean; readonly progress: string }> {
    const { api } = this.#cluster;
    const { signal } = this.#delivery;
    const pods = await podsOf(api, workload, signal);
    const ours = pods.filter(({ spec }) => this.#isCurrent(spec));
    const { spec, status, metadata } = workload;
    const wanted = spec.replicas ?? 1;
    const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status ?? {};
    const isObserved = observedGeneration >= (metadata.generation ?? 0);
    const fault = isObserved ? rolloutFault(workload, ours) : undefined;
    if (fault !== undefined) throw await rolloutError(api, workload, fault, signal);
    if (isObserved && wanted === 0) {
      throw await rolloutError(
        api,
        workload,
        { reason: "ScaledToZero", message: "it is scaled to 0, so nothing serves the release" },
        signal,
      );
    }
    const ready = ours.filter(
      ({ status }) => status?.containerStatuses?.every(({ ready }) => ready) === true,
    );
    const isDone =
      isObserved &&
      [updatedReplicas, availableReplicas, replicas, pods.length, ready.length].every(
        (count) => count === wanted,
      );
    const old = pods.length - ours.length;
    const progress = `${ready.length} of ${wanted} pods ready${old === 0 ? "" : `, ${old} old`}`;
    return { workload, pods: ours, isDone, progress };
  }
}
