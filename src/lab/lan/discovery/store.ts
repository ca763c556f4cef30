/** What a cluster's members see of one of them. */
export interface Affiliate {
  readonly id: string;
  /** Encrypted by the node; empty if only others have told where it is. */
  readonly data: Uint8Array;
  readonly endpoints: readonly Uint8Array[];
}

export interface AffiliateUpdate {
  readonly cluster: string;
  readonly affiliate: string;
  /** Undefined: the affiliate keeps the data that it has. */
  readonly data?: Uint8Array | undefined;
  /** Added to those that are known. */
  readonly endpoints: readonly Uint8Array[];
  /** Milliseconds that this update counts. */
  readonly ttl: number;
}

export type Change =
  | { readonly kind: "changed"; readonly affiliate: Affiliate }
  | { readonly kind: "deleted"; readonly id: string };

export type Listener = (change: Change) => void;

/** The limits of the public service: a castle that fits in the lab fits there too. Bytes, counts, milliseconds. */
export const limits = {
  id: 256,
  data: 2048,
  endpoint: 32,
  endpoints: 64,
  affiliates: 1024,
  ttl: 30 * 60_000,
} as const;

export type Refusal = "invalid" | "full";

/** A request that the store refuses; nothing was changed. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string) {
    super(message);
    this.name = "RefusedError";
    this.refusal = refusal;
  }
}

interface Entry {
  data: Uint8Array;
  /** When the data ends; undefined: the node itself has not been heard yet. */
  expires: number | undefined;
  /** By their bytes in hexadecimal. */
  readonly endpoints: Map<string, { readonly bytes: Uint8Array; readonly expires: number }>;
}

interface Cluster {
  readonly entries: Map<string, Entry>;
  readonly listeners: Set<Listener>;
}

/**
 * The discovery service's memory. Data and each endpoint live as long as whoever sent them said; an affiliate whose own
 * data has run out is gone, whatever others still say of it, because clients ignore an update without data and would
 * show a dead node for ever.
 */
export class DiscoveryStore {
  readonly #clusters = new Map<string, Cluster>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws RefusedError */
  update(update: AffiliateUpdate): void {
    checkId("cluster", update.cluster);
    checkId("affiliate", update.affiliate);
    checkUpdate(update);
    this.sweep();
    const expires = this.#now() + update.ttl;
    const known = this.#clusters.get(update.cluster)?.entries.get(update.affiliate);
    const added = new Map(update.endpoints.map((bytes) => [hex(bytes), bytes]));
    const fresh = [...added.keys()].filter((key) => known?.endpoints.has(key) !== true);
    if ((known?.endpoints.size ?? 0) + fresh.length > limits.endpoints) {
      throw new RefusedError("full", `an affiliate has at most ${limits.endpoints} endpoints`);
    }
    if (known === undefined && update.data === undefined && fresh.length === 0) return;
    const cluster = this.#cluster(update.cluster);
    if (known === undefined && cluster.entries.size >= limits.affiliates) {
      throw new RefusedError("full", `a cluster has at most ${limits.affiliates} affiliates`);
    }
    const entry: Entry = known ?? { data: new Uint8Array(), expires: undefined, endpoints: new Map() };
    cluster.entries.set(update.affiliate, entry);
    const renewed = update.data !== undefined && hex(update.data) !== hex(entry.data);
    if (update.data !== undefined) {
      entry.data = Uint8Array.from(update.data);
      entry.expires = expires;
    }
    for (const [key, bytes] of added) {
      const before = entry.endpoints.get(key)?.expires ?? 0;
      entry.endpoints.set(key, { bytes: Uint8Array.from(bytes), expires: Math.max(before, expires) });
    }
    if (known === undefined || renewed || fresh.length > 0) {
      notify(cluster, { kind: "changed", affiliate: view(update.affiliate, entry) });
    }
  }

  /** Nothing happens if there is no such affiliate. */
  delete(cluster: string, affiliate: string): void {
    checkId("cluster", cluster);
    checkId("affiliate", affiliate);
    this.sweep();
    const found = this.#clusters.get(cluster);
    if (found?.entries.delete(affiliate) === true) notify(found, { kind: "deleted", id: affiliate });
    this.#forgetIfEmpty(cluster);
  }

  list(cluster: string): Affiliate[] {
    checkId("cluster", cluster);
    this.sweep();
    const entries = this.#clusters.get(cluster)?.entries ?? new Map<string, Entry>();
    return [...entries].map(([id, entry]) => view(id, entry));
  }

  /** Returns what is there now, and tells the listener of every change from now on until `stop`. */
  watch(cluster: string, listener: Listener): { readonly snapshot: Affiliate[]; readonly stop: () => void } {
    const snapshot = this.list(cluster);
    const { listeners } = this.#cluster(cluster);
    listeners.add(listener);
    return {
      snapshot,
      stop: () => {
        listeners.delete(listener);
        this.#forgetIfEmpty(cluster);
      },
    };
  }

  /** Forgets what has run out and says so to those who watch. */
  sweep(): void {
    const now = this.#now();
    for (const [name, cluster] of this.#clusters) {
      for (const [id, entry] of cluster.entries) {
        const lapsed = [...entry.endpoints].filter(([, { expires }]) => expires <= now);
        for (const [key] of lapsed) entry.endpoints.delete(key);
        const gone = entry.expires === undefined ? entry.endpoints.size === 0 : entry.expires <= now;
        if (gone) {
          cluster.entries.delete(id);
          notify(cluster, { kind: "deleted", id });
        } else if (lapsed.length > 0) {
          notify(cluster, { kind: "changed", affiliate: view(id, entry) });
        }
      }
      this.#forgetIfEmpty(name);
    }
  }

  /** When the next sweep has something to do; undefined: never, as things are. */
  nextExpiry(): number | undefined {
    let next: number | undefined;
    for (const { entries } of this.#clusters.values()) {
      for (const { expires, endpoints } of entries.values()) {
        for (const moment of [expires, ...[...endpoints.values()].map((endpoint) => endpoint.expires)]) {
          if (moment !== undefined && (next === undefined || moment < next)) next = moment;
        }
      }
    }
    return next;
  }

  #cluster(name: string): Cluster {
    const cluster = this.#clusters.get(name) ?? { entries: new Map(), listeners: new Set() };
    this.#clusters.set(name, cluster);
    return cluster;
  }

  #forgetIfEmpty(name: string): void {
    const cluster = this.#clusters.get(name);
    if (cluster?.entries.size === 0 && cluster.listeners.size === 0) this.#clusters.delete(name);
  }
}

function checkId(what: string, id: string): void {
  if (id === "" || Buffer.byteLength(id) > limits.id) {
    throw new RefusedError("invalid", `a ${what} id has 1 to ${limits.id} bytes`);
  }
}

function checkUpdate({ data, endpoints, ttl }: AffiliateUpdate): void {
  if ((data?.length ?? 0) > limits.data) {
    throw new RefusedError("invalid", `affiliate data has at most ${limits.data} bytes`);
  }
  if (endpoints.some((endpoint) => endpoint.length > limits.endpoint)) {
    throw new RefusedError("invalid", `an endpoint has at most ${limits.endpoint} bytes`);
  }
  if (!(ttl > 0 && ttl <= limits.ttl)) {
    throw new RefusedError(
      "invalid",
      `the time to live is above 0 and at most ${limits.ttl / 60_000} minutes`,
    );
  }
}

function notify(cluster: Cluster, change: Change): void {
  for (const listener of cluster.listeners) listener(change);
}

function view(id: string, { data, endpoints }: Entry): Affiliate {
  return { id, data, endpoints: [...endpoints.values()].map(({ bytes }) => bytes) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
