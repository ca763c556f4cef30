import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";

/** Milliseconds that something must stay as it is to count, and between two looks. */
const LASTING = 8_000;
const EVERY = 1_500;

const SELECTOR = "labelSelector=app.kubernetes.io%2Fpart-of%3Dcastle";

/** Why a container waits, where it will wait for ever. */
const HOPELESS = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "ErrImagePull",
  "ErrImageNeverPull",
  "ImagePullBackOff",
  "InvalidImageName",
]);

const metadata = z.object({ name: z.string(), namespace: z.string() });
const containers = z
  .array(
    z.object({
      name: z.string(),
      image: z.string(),
      state: z
        .object({
          waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
        })
        .optional(),
    }),
  )
  .optional();
const podsShape = z.object({
  items: z.array(z.object({ metadata, status: z.object({ containerStatuses: containers }).optional() })),
});
const servicesShape = z.object({
  items: z.array(
    z.object({
      metadata,
      spec: z.object({ type: z.string().optional() }),
      status: z
        .object({ loadBalancer: z.object({ ingress: z.array(z.unknown()).optional() }).optional() })
        .optional(),
    }),
  ),
});
const eventsShape = z.object({ items: z.array(z.object({ reason: z.string(), message: z.string() })) });

interface Stall {
  /** The same for the same thing, whatever words are found for it. */
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

/** Finds what cannot go on by itself, long before Flux' own patience ends. */
export class Stalls {
  readonly #api: KubernetesApi;
  readonly #signal: AbortSignal;
  readonly #since = new Map<string, number>();
  /** Nothing lasts yet at the first look. */
  #looked = performance.now();

  constructor(api: KubernetesApi, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  /** @throws CastleError platform/stalled for what has been hopeless for some seconds */
  async refuse(): Promise<void> {
    const now = performance.now();
    if (now - this.#looked < EVERY) return;
    this.#looked = now;
    const found = (await Promise.all([this.#pods(), this.#services()])).flat();
    const keys = new Set(found.map(({ key }) => key));
    for (const key of this.#since.keys()) if (!keys.has(key)) this.#since.delete(key);
    for (const { key } of found) if (!this.#since.has(key)) this.#since.set(key, now);
    const lasting = found.filter(({ key }) => now - (this.#since.get(key) ?? now) >= LASTING);
    const [first] = lasting;
    if (first === undefined) return;
    throw new CastleError("platform/stalled", {
      message: lasting.map(({ message }) => message).join("\n"),
      hint: first.hint,
      details: { stalled: lasting.map(({ key }) => key) },
    });
  }

  async #pods(): Promise<readonly Stall[]> {
    const { items } = podsShape.parse((await this.#get(`/api/v1/pods?${SELECTOR}`)) ?? { items: [] });
    return items.flatMap(({ metadata: { name, namespace }, status }) =>
      (status?.containerStatuses ?? []).flatMap(({ image, state, name: container }) => {
        const { reason = "", message = "" } = state?.waiting ?? {};
        if (!HOPELESS.has(reason)) return [];
        return {
          key: `Pod ${namespace}/${name} ${container}`,
          message: `Pod ${namespace}/${name} cannot start ${image}: ${reason}${message === "" ? "" : `: ${message}`}`,
          hint: `castle kubectl -- -n ${namespace} describe pod ${name}`,
        };
      }),
    );
  }

  async #services(): Promise<readonly Stall[]> {
    const { items } = servicesShape.parse((await this.#get(`/api/v1/services?${SELECTOR}`)) ?? { items: [] });
    const without = items.filter(
      ({ spec, status }) =>
        spec.type === "LoadBalancer" && (status?.loadBalancer?.ingress ?? []).length === 0,
    );
    const stalls = await Promise.all(
      without.map(async ({ metadata: { name, namespace } }): Promise<readonly Stall[]> => {
        const selector = encodeURIComponent(`involvedObject.kind=Service,involvedObject.name=${name}`);
        const events = await this.#get(`/api/v1/namespaces/${namespace}/events?fieldSelector=${selector}`);
        const refusal = eventsShape
          .safeParse(events)
          .data?.items.findLast(({ reason }) => reason === "AllocationFailed");
        if (refusal === undefined) return [];
        return [
          {
            key: `Service ${namespace}/${name}`,
            message: `Service ${namespace}/${name} gets no address: ${refusal.reason}: ${refusal.message}`,
            hint: "castle kubectl -- get services -A shows who holds the pool's addresses; loadBalancer.pool in castle.yaml makes it larger",
          },
        ];
      }),
    );
    return stalls.flat();
  }

  async #get(path: string): Promise<unknown> {
    const { status, body } = await this.#api.call({ path, signal: this.#signal });
    return status === 200 ? body : undefined;
  }
}
