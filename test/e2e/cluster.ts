import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { runcRoot } from "../../src/lab/machine/names.ts";
import type { CastleNode } from "../../src/spec/castle.ts";
import { parseSpec } from "../../src/spec/parse.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import { part } from "../fixtures/parts.ts";
import { type CastleCommand, type Status, statusShape } from "./castle-command.ts";

export type Node = Pick<CastleNode, "name" | "role" | "address" | "vmid" | "mac">;

export async function nodesOf(castle: CastleCommand): Promise<readonly Node[]> {
  const parsed = parseSpec(await readFile(join(castle.folder, "castle.yaml"), "utf8"), "castle.yaml");
  if ("faults" in parsed) throw new Error(parsed.faults.map(({ message }) => message).join("; "));
  return parsed.castle.nodes;
}

const record = z.object({ init_process_pid: z.int(), init_process_start: z.int() });

/** One line a machine, which a restart of the machine changes. */
export async function bootsOf(castle: CastleCommand, nodes: readonly Node[]): Promise<readonly string[]> {
  return Promise.all(
    nodes.map(async ({ name, vmid }) => {
      const { init_process_pid: pid, init_process_start: started } = await initOf(castle, vmid);
      return `${name} ${pid} ${started}`;
    }),
  );
}

async function initOf(castle: CastleCommand, vmid: number) {
  const file = join(runcRoot(castle.name), String(vmid), "state.json");
  return record.parse(JSON.parse(await readFile(file, "utf8")));
}

export async function status(castle: CastleCommand): Promise<Status | undefined> {
  const { stdout } = await castle.try("status", "-o", "json");
  const parsed = statusShape.safeParse(JSON.parse(stdout));
  return parsed.success ? parsed.data : undefined;
}

/** Waits until `castle status` says what is wanted. */
export async function statusIs(
  castle: CastleCommand,
  wanted: (status: Status) => boolean,
  what: string,
): Promise<Status> {
  let last: Status | undefined;
  return poll(
    async () => {
      last = await status(castle);
      return last !== undefined && wanted(last) ? last : undefined;
    },
    {
      every: 500,
      within: 240_000,
      onTimeout: () => new Error(`${castle.name} was not ${what}: ${JSON.stringify(last, undefined, 2)}`),
    },
  );
}

const healthShape = z.array(z.object({ endpoint: z.string(), health: z.boolean() }));
const membersShape = z.object({
  members: z.array(z.object({ name: z.string(), isLearner: z.boolean().optional() })),
});

export async function etcdctl(castle: CastleCommand, controlPlanes: readonly Node[]) {
  const ask = (...args: readonly string[]) => askEtcd(castle, controlPlanes, args);
  return {
    health: healthShape.parse(await ask("endpoint", "health")),
    members: membersShape.parse(await ask("member", "list")).members,
  };
}

/**
 * Asks etcd with the real etcdctl from inside the LAN, with the certificate that etcd's first node keeps for itself.
 * @returns what etcdctl answered in JSON
 */
export async function askEtcd(
  castle: CastleCommand,
  controlPlanes: readonly Node[],
  args: readonly string[],
): Promise<unknown> {
  const [first] = controlPlanes;
  if (first === undefined) throw new Error("no control planes");
  const { init_process_pid: pid } = await initOf(castle, first.vmid);
  const certificates = `/proc/${pid}/root/system/secrets/etcd`;
  const inLan = [`--net=/run/netns/${lanNamespace(castle.name)}`, "--", await part("etcdctl")];
  const endpoints = controlPlanes.map(({ address }) => `https://${address}:2379`).join(",");
  const trust = [
    `--cacert=${certificates}/ca.crt`,
    `--cert=${certificates}/admin.crt`,
    `--key=${certificates}/admin.key`,
  ];
  const { stdout } = await run("nsenter", [
    ...inLan,
    `--endpoints=${endpoints}`,
    ...trust,
    ...args,
    "-w",
    "json",
  ]);
  return JSON.parse(stdout);
}

/** Asks the cluster's own name server, by its service address, from inside a node's network namespace. */
export async function resolveInCluster(castle: CastleCommand, node: Node, name: string): Promise<string> {
  const script = `const r = new (require("dns").promises.Resolver)({ timeout: 1000, tries: 3 });
r.setServers(["10.96.0.10"]);
r.resolve4(process.argv[1]).then((a) => console.log(a.join()), (e) => console.log(e.code));`;
  const inside = `--net=/run/netns/castle-${castle.name}-${node.vmid}`;
  return (await run("nsenter", [inside, "--", process.execPath, "-e", script, name])).stdout.trim();
}

const labels = z.object({
  items: z.array(
    z.object({ metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }) }),
  ),
});

/** What each node says to a label. */
export async function labelsOf(
  castle: CastleCommand,
  label: string,
): Promise<readonly (string | undefined)[]> {
  const { items } = labels.parse(JSON.parse(await castle.kubectl("get", "nodes", "-o", "json")));
  return items.map(({ metadata }) => metadata.labels[label]);
}
