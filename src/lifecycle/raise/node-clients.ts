import type { CastleNode } from "../../spec/castle.ts";
import { TalosClient } from "../../talos/client.ts";
import type { Credentials } from "../../talos/talosconfig.ts";
import type { CastleRun } from "../castle-run.ts";

const APID_PORT = 50_000;

/** Connections to the nodes' machine API: one trusted client a node, kept; closed all at once. */
export class NodeClients {
  readonly #run: Pick<CastleRun, "ground">;
  readonly #credentials: Credentials;
  readonly #clients = new Map<string, TalosClient>();

  constructor(run: Pick<CastleRun, "ground">, credentials: Credentials) {
    this.#run = run;
    this.#credentials = credentials;
  }

  get credentials(): Credentials {
    return this.#credentials;
  }

  endpoint(node: CastleNode) {
    return this.#run.ground.reach(node.address, APID_PORT);
  }

  async trusted(node: CastleNode): Promise<TalosClient> {
    const known = this.#clients.get(node.name);
    if (known !== undefined) return known;
    const endpoint = await this.endpoint(node);
    const client = new TalosClient({ endpoint, name: node.name, credentials: this.#credentials });
    this.#clients.set(node.name, client);
    return client;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}
