import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { machineNames } from "../../src/lab/machine/names.ts";
import { parseSpec } from "../../src/spec/parse.ts";
import { poll } from "../../src/support/poll.ts";
import { Secret } from "../../src/support/secret.ts";
import { TalosClient } from "../../src/talos/client.ts";
import { renderConfigs } from "../../src/talos/config.ts";
import { labGround } from "../../src/talos/ground.ts";
import { applyConfig } from "../../src/talos/machine.ts";
import { waitMaintenance } from "../../src/talos/maintenance.ts";
import { generateSecrets } from "../../src/talos/secrets.ts";
import { part } from "../fixtures/parts.ts";
import type { CastleCommand } from "./castle-command.ts";
import { type Node, askEtcd } from "./cluster.ts";

const APID_PORT = 50_000;
const memberList = z.object({
  members: z.array(
    z.object({ ID: z.unknown(), name: z.string().default(""), peerURLs: z.array(z.string()) }),
  ),
});

/**
 * Makes ghosts of real members on real nodes of a lab, each by what makes it on a rack: power cuts, disks that are wiped
 * or come from elsewhere, members added and removed behind everybody's back.
 */
export class GhostInjector {
  readonly #castle: CastleCommand;
  readonly #nodes: readonly Node[];

  constructor(castle: CastleCommand, nodes: readonly Node[]) {
    this.#castle = castle;
    this.#nodes = nodes;
  }

  /** The castle's how-manieth node, from 0, control planes first. */
  node(index: number): Node {
    const found = this.#nodes[index];
    if (found === undefined) throw new Error(`no node ${index}`);
    return found;
  }

  /** A new disk in the machine, and the node's own configuration: etcd still lists what it was. */
  async sameName(node: Node): Promise<void> {
    await this.emptyDisk(node);
    await this.giveOwnConfig(node);
  }

  async giveOwnConfig(node: Node): Promise<void> {
    await this.#configure(node, await this.#ownConfig(node));
  }

  /**
   * The seed's: the machine at the node's address was a member under another name when it went, and what came in its place
   * has an empty disk and the name of the spec.
   */
  async samePeer(node: Node, former: string): Promise<void> {
    const config = await this.#ownConfig(node);
    await this.emptyDisk(node);
    await this.removeMember(node.name);
    await this.#configure(node, config.replace(`hostname: ${node.name}`, `hostname: ${former}`));
    await this.votes(former);
    await this.sameName(node);
  }

  /** What the seed's operator saw: the machine comes back under a name that nobody knows. */
  async otherName(node: Node, name: string): Promise<void> {
    await this.emptyDisk(node);
    const config = await this.#ownConfig(node);
    await this.#configure(node, config.replace(`hostname: ${node.name}`, `hostname: ${name}`));
  }

  /** A member that was added and never came, as a learner or as a voter. */
  async addMember(address: string, { learner }: { readonly learner: boolean }): Promise<void> {
    await this.#etcd([
      "member",
      "add",
      "late",
      `--peer-urls=https://${address}:2380`,
      ...(learner ? ["--learner"] : []),
    ]);
  }

  /** The node was off while it was taken out of etcd, and comes back with what it had. */
  async removedData(node: Node): Promise<void> {
    await this.#castle.run("lab", "power", "cut", node.name);
    await this.removeMember(node.name);
    await this.#castle.run("lab", "power", "on", node.name);
  }

  /** The machine gets the disk of another castle: one that was configured with other secrets. */
  async foreignDisk(node: Node): Promise<void> {
    const text = await readFile(join(this.#castle.folder, "castle.yaml"), "utf8");
    const parsed = parseSpec(text, "castle.yaml");
    if ("faults" in parsed) throw new Error("the castle's own spec has faults");
    const { descriptor } = await this.#castle.lab();
    const tool = { path: await part("talosctl"), folder: join(this.#castle.folder, "stranger") };
    const bundle = await generateSecrets(tool, parsed.castle.talos.version);
    const { registry, discovery } = descriptor.lan;
    const configs = await renderConfigs(tool, parsed.castle, labGround({ registry, discovery }), { bundle });
    await this.emptyDisk(node);
    await this.#configure(node, configs.nodes.get(node.name)?.reveal() ?? "");
  }

  /** A Node that no kubelet renews. */
  async lingeringNode(name: string): Promise<void> {
    await this.#castle.kubectl(
      "create",
      "--raw",
      "/api/v1/nodes",
      "-f",
      await this.#castle.file(`${name}.json`, { apiVersion: "v1", kind: "Node", metadata: { name } }),
    );
  }

  /** Power off, disk out; the machine is left on, with an empty one. */
  async emptyDisk(node: Node): Promise<void> {
    await this.#castle.run("lab", "power", "cut", node.name);
    await rm(this.#disk(node), { recursive: true, force: true });
    await this.#castle.run("lab", "power", "on", node.name);
  }

  /** Takes the disk out of the machine, which is left off. @returns where it lies */
  async keepDisk(node: Node): Promise<string> {
    await this.#castle.run("lab", "power", "cut", node.name);
    const kept = `${this.#disk(node)}.kept`;
    await rename(this.#disk(node), kept);
    return kept;
  }

  /** Puts it back, in the place of whatever is there. */
  async restoreDisk(node: Node, kept: string): Promise<void> {
    await this.#castle.run("lab", "power", "cut", node.name);
    await rm(this.#disk(node), { recursive: true, force: true });
    await rename(kept, this.#disk(node));
    await this.#castle.run("lab", "power", "on", node.name);
  }

  #disk({ vmid }: Node): string {
    return machineNames({ lab: this.#castle.name, state: this.#castle.labs.state }, vmid).disk;
  }

  /** Takes a member out behind everybody's back, and waits until it is. */
  async removeMember(name: string): Promise<void> {
    await poll(
      async () => {
        const found = (await this.members()).find((member) => member.name === name);
        if (found === undefined) return true;
        // etcd refuses until it has noticed who is gone.
        await this.#etcd(["member", "remove", found.id]).catch(() => undefined);
        return undefined;
      },
      { every: 500, within: 30_000, onTimeout: () => new Error(`${name} is still a member`) },
    );
  }

  async members(): Promise<readonly { readonly id: string; readonly name: string }[]> {
    const { members } = memberList.parse(await this.#etcd(["member", "list", "--hex"]));
    return members.map(({ ID, name }) => ({ id: String(ID), name }));
  }

  /** Waits until etcd has a voter of that name. */
  async votes(name: string): Promise<void> {
    const shape = z.object({
      members: z.array(z.object({ name: z.string().default(""), isLearner: z.boolean().default(false) })),
    });
    await poll(
      async () => {
        const { members } = shape.parse(await this.#etcd(["member", "list"]));
        return members.some((member) => member.name === name && !member.isLearner) ? true : undefined;
      },
      { every: 500, within: 120_000, onTimeout: () => new Error(`${name} has no vote`) },
    );
  }

  /** Through whoever of the control planes answers: one of them is in a machine that has no power. */
  async #etcd(args: readonly string[]): Promise<unknown> {
    const planes = this.#nodes.filter(({ role }) => role === "controlplane");
    return askEtcd(this.#castle, planes, args);
  }

  async #ownConfig(node: Node): Promise<string> {
    return readFile(join(this.#castle.home, "talos", `${node.name}.yaml`), "utf8");
  }

  async #configure(node: Node, config: string): Promise<void> {
    const { control } = await this.#castle.lab();
    const target = { address: node.address, port: APID_PORT };
    const endpoint = await control.call("forward", {
      name: `${node.address}:${APID_PORT}`,
      targets: [target],
    });
    const client = new TalosClient({ endpoint, name: node.name });
    try {
      await waitMaintenance(client, { within: 60_000 });
      await applyConfig(client, new Secret(config));
    } finally {
      client.close();
    }
  }
}
