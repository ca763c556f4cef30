/** One answer of a server: the bytes are those that travelled. */
export interface Served {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly bytes: Uint8Array;
}

/** Asks for a path with its leading slash. @throws CastleError if nobody answers */
export type Visit = (path: string, signal: AbortSignal) => Promise<Served>;
