/** One raise and its end, in seconds from nothing. */
export interface Raise {
  /** Every node has taken its configuration. */
  readonly configured: number;
  /** The API answers on the VIP. */
  readonly api: number;
  /** Five nodes are Ready. */
  readonly ready: number;
  readonly down: number;
  /** GiB that the machines hold when the nodes are Ready, without inactive file cache; undefined: not counted. */
  readonly memory?: number;
}

export interface Summary {
  readonly apiVersion: "castle/v1";
  readonly kind: "Bench";
  readonly runs: number;
  readonly product: { readonly median: Raise; readonly all: readonly Raise[] };
  readonly byHand: { readonly median: Raise; readonly all: readonly Raise[] };
  /** Product over by hand; below 1 the product is faster. */
  readonly ratio: { readonly api: number; readonly ready: number };
  /** Milliseconds of `castle --help`. */
  readonly help: number;
}

export function summary(
  product: readonly Raise[],
  byHand: readonly Raise[],
  help: readonly number[],
): Summary {
  const [ours, theirs] = [medianRaise(product), medianRaise(byHand)];
  return {
    apiVersion: "castle/v1",
    kind: "Bench",
    runs: product.length,
    product: { median: ours, all: product },
    byHand: { median: theirs, all: byHand },
    ratio: { api: round(ours.api / theirs.api), ready: round(ours.ready / theirs.ready) },
    help: median(help),
  };
}

export function table({ runs, product, byHand, ratio, help }: Summary): string {
  const [ours, theirs] = [product.median, byHand.median];
  return [
    line(`median of ${runs}`, "castle", "by hand", ""),
    line("nodes configured", seconds(ours.configured), seconds(theirs.configured), ""),
    line("API answers on the VIP", seconds(ours.api), seconds(theirs.api), `${ratio.api} times; aim 20 s`),
    line(
      "five nodes Ready",
      seconds(ours.ready),
      seconds(theirs.ready),
      `${ratio.ready} times; at most 1.1, aim 45 s`,
    ),
    line("taken down", seconds(ours.down), seconds(theirs.down), "at most 10 s"),
    line("memory of the machines", `${(ours.memory ?? 0).toFixed(2)} GiB`, "", "at most 4 GiB"),
    line("castle --help", `${Math.round(help)} ms`, "", "at most 150 ms"),
    ...["castle", "by hand"].map((who, index) => {
      const all = (index === 0 ? product : byHand).all.map(({ ready }) => ready.toFixed(1)).join(", ");
      return `Ready, ${who}: ${all}`;
    }),
  ].join("\n");
}

function line(title: string, ours: string, theirs: string, note: string): string {
  return `${title.padEnd(28)}${ours.padStart(9)}${theirs.padStart(9)}  ${note}`.trimEnd();
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function medianRaise(raises: readonly Raise[]): Raise {
  const of = (key: "configured" | "api" | "ready" | "down") => median(raises.map((raise) => raise[key]));
  const memory = raises.flatMap((raise) => raise.memory ?? []);
  return {
    configured: of("configured"),
    api: of("api"),
    ready: of("ready"),
    down: of("down"),
    ...(memory.length === 0 ? {} : { memory: median(memory) }),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : round((upper + (sorted[middle - 1] ?? upper)) / 2);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
