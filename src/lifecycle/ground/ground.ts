import type { ProxmoxConnection } from "../../infra/connection.ts";
import type { Endpoint } from "../../talos/client.ts";
import type { Ground as NodeGround } from "../../talos/ground.ts";

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
  /** The Kubernetes API from here: behind the VIP, and in a lab behind a forward that also knows the control planes. */
  api(): Promise<Endpoint>;
  /** Who answers at an address of the castle's network, for people ("BC:24:11:…"); undefined: nobody. */
  occupant(address: string): Promise<string | undefined>;
  /** Tells the network's name server, where castle runs it, the castle's names. */
  announce(names: Readonly<Record<string, string>>): Promise<void>;
  /** What on this ground stands in for something of a rack, and so is not proved by it. */
  readonly standIns: readonly string[];
}
