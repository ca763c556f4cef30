import type { Socket } from "node:net";
import type { Castle, CastleNode } from "../../spec/castle.ts";
import type { Secret } from "../../support/secret.ts";
import type { TalosClient } from "../../talos/client.ts";
import type { Credentials } from "../../talos/talosconfig.ts";
import type { GitExamination, StoreExamination } from "../examination.ts";

/** The castle's network, as it is reached from here. */
export interface Lan {
  /** @throws Error whose message says why nobody accepted */
  dial(address: string, port: number, signal: AbortSignal): Promise<Socket>;
  /** MAC addresses of all who answer ARP; undefined: nobody here can ask. */
  holders(
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]> | undefined>;
  /** Milliseconds that one question on it may take. */
  readonly patience: number;
  /** PEM of whom a visitor trusts besides the public authorities. */
  readonly roots?: string;
  /** False: the sites' authority is one that nobody trusts, such as Let's Encrypt's staging. */
  readonly verified: boolean;
}

/** Whom to ask, and with what. */
export interface Bedside {
  readonly castle: Castle;
  readonly at: Date;
  /** Undefined: there are no credentials for the machine API. */
  readonly talos:
    | { readonly credentials: Credentials; client(node: CastleNode): Promise<TalosClient> }
    | undefined;
  /** A kubeconfig that works from here. */
  readonly kubeconfig: Secret | undefined;
  readonly lan: Lan;
  /** Undefined: the castle has no gitops. @throws CastleError */
  readonly git: ((signal: AbortSignal) => Promise<GitExamination>) | undefined;
  /** @throws CastleError */
  readonly store: (signal: AbortSignal) => Promise<StoreExamination>;
  /** Also what only a diagnosis needs: sockets, neighbours, logs, the secret store; and more patience with who is slow. */
  readonly thorough: boolean;
  readonly signal: AbortSignal;
}
