import type { Descriptor } from "./descriptor.ts";

/** A layer that lies in a folder of blobs. */
export interface Layer {
  readonly descriptor: Descriptor;
  /** Digest of the tar without compression: what unpackers verify. */
  readonly diffId: string;
  /** The blob's file. */
  readonly file: string;
}
