import type { Socket } from "node:net";
import type { ProxmoxConnection } from "../../infra/connection.ts";
import type { Secret } from "../../support/secret.ts";
import type { Castle, Site } from "../../spec/castle.ts";
import type { Endpoint } from "../../talos/client.ts";
import type { Ground as NodeGround } from "../../talos/ground.ts";

/** What the platform is told of its ground, and where castle itself finds the same from here. */
export interface PlatformGround {
  /** Addresses of the GitOps repository: for Flux, and for castle. */
  readonly repository: { readonly inside: string; readonly outside: string };
  /** The ground's own for its repository; undefined: the secret store has them. */
  readonly login?: { readonly username: string; readonly token: Secret };
  /** Where castle pushes images of its own to; undefined: nowhere that it knows. */
  readonly registry?: Endpoint;
  /** Stands instead of the certificate authority that the spec names. */
  readonly acme?: {
    readonly directory: string;
    /** PEM of who signed the directory's own certificate. */
    readonly certificate: string;
    /** PEM of the roots that it issues from. */
    readonly roots: string;
    /** Makes roots of an earlier authority known besides them. @returns PEM of all */
    readonly addRoots: (roots: string) => Promise<string>;
  };
}

/** What a castle stands on: a rack of Proxmox hosts or a lab. The only place where the two differ. */
export interface Ground {
  readonly kind: "lab" | "rack";
  readonly proxmox: ProxmoxConnection;
  /** Path of a Terraform CLI configuration; a lab's names a mirror with the provider. */
  readonly terraformConfig?: string;
  /** What the nodes' own configuration has to know. */
  readonly nodes: NodeGround;
  /** Where a TCP connection to that address and port of the castle's network is opened from here. */
  reach(address: string, port: number): Promise<Endpoint>;
  /**
   * Opens a TCP connection on the castle's network.
   * @throws Error whose message says why nobody accepted
   */
  dial(address: string, port: number, signal: AbortSignal): Promise<Socket>;
  /**
   * Who answers ARP for each address: the MAC addresses of all, upper case. Undefined where this machine has no way to ask
   * by ARP.
   */
  holders(
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]> | undefined>;
  /** PEM: whom a visitor of the castle's sites trusts besides the public authorities; undefined: nobody. */
  readonly roots?: string;
  /**
   * Where the Kubernetes API is from here, the one to be tried first in front: on a rack the VIP, and every control plane
   * itself; in a lab a forward that knows all of them.
   */
  api(): Promise<readonly [Endpoint, ...Endpoint[]]>;
  /** How `occupant` looks, for people: what it cannot see has to be told. */
  readonly probes: string;
  /** Who answers at an address of the castle's network, for people ("BC:24:11:…"); undefined: nobody. */
  occupant(address: string): Promise<string | undefined>;
  /** Tells the network's name server, where castle runs it, the castle's names. */
  announce(names: Readonly<Record<string, string>>): Promise<void>;
  /** What the platform stands on, made where it is made on demand; for a castle with gitops. */
  platform(): Promise<PlatformGround>;
  /**
   * The address at which a browser on this machine opens each site as it stands, in their order.
   * @param ingress where the castle's network has them
   */
  siteUrls(sites: readonly Site[], ingress: string | undefined): Promise<readonly string[]>;
  /** The same ground for a castle whose spec was edited: other addresses, another number of nodes. */
  of(castle: Castle): Ground;
  /** What on this ground stands in for something of a rack, and so is not proved by it. */
  readonly standIns: readonly string[];
}
