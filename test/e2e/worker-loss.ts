import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningLab } from "../../src/lab/daemon/launch.ts";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { poll } from "../../src/support/poll.ts";
import { OpenLoop, type Told } from "../fixtures/open-loop/open-loop.ts";
import type { CastleCommand } from "./castle-command.ts";
import { nodesOf, statusIs } from "./cluster.ts";

export interface VisitedSite {
  readonly host: string;
  /** The ingress'. */
  readonly address: string;
}

export interface WorkerLoss {
  /** Who lost its power. */
  readonly worker: string;
  readonly told: Told;
  /** Percent of the questions that no page came back for. */
  readonly share: number;
}

/** Milliseconds. */
const MINUTE = 60_000;

/**
 * Cuts the power of a worker, and tells what visitors on the LAN, ten a second with a second's patience each, see of it
 * in the minute after.
 * @param announcing whether it shall be the worker that answers for the ingress' address
 */
export async function cutWorker(
  castle: CastleCommand,
  { host, address }: VisitedSite,
  announcing: boolean,
): Promise<WorkerLoss> {
  await bothWorkersServe(castle);
  const lab = await castle.lab();
  const announcer = await announcerOf(castle, lab, address);
  const workers = (await nodesOf(castle)).filter(({ role }) => role === "worker");
  const worker = workers.find(({ name }) => (name === announcer) === announcing)?.name ?? "";
  const ca = join(castle.folder, "roots.pem");
  await writeFile(ca, lab.descriptor.lan.acme?.roots ?? "");
  const probe = new OpenLoop(lanNamespace(castle.name), {
    url: `https://${host}/`,
    address,
    ca,
    every: 100,
    within: 1_000,
  });
  await probe.answered();
  await castle.run("lab", "power", "cut", worker);
  await delay(MINUTE);
  const told = await probe.stop();
  return { worker, told, share: (100 * told.lost) / told.answers.length };
}

/** Gives it its power back, and waits until it serves again. */
export async function workerBack(castle: CastleCommand, worker: string): Promise<void> {
  await castle.run("lab", "power", "on", worker);
  await statusIs(castle, ({ healthy }) => healthy, `healthy with ${worker} back`);
  await bothWorkersServe(castle);
}

/** What is to be lost has to be there before: a replica of ingress and site on each worker. */
async function bothWorkersServe(castle: CastleCommand): Promise<void> {
  const where = "jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.spec.nodeName} {end}";
  const last: Record<string, string> = {};
  await poll(
    async () => {
      const ready = await Promise.all(
        ["traefik", "site-blog"].map(async (namespace) => {
          const { stdout } = await castle.try("kubectl", "--", "-n", namespace, "get", "pods", "-o", where);
          last[namespace] = stdout;
          return new Set(stdout.trim().split(" ").filter(Boolean)).size === 2;
        }),
      );
      return ready.every(Boolean) ? true : undefined;
    },
    {
      every: 1_000,
      within: 240_000,
      onTimeout: () => new Error(`not every worker serves: ${JSON.stringify(last)}`),
    },
  );
}

/** The node whose card answers for the address. */
async function announcerOf(castle: CastleCommand, lab: RunningLab, address: string): Promise<string> {
  const { mac = "" } = await lab.control.call("probe", { address });
  const found = (await nodesOf(castle)).find((node) => node.mac.toLowerCase() === mac.toLowerCase());
  if (found === undefined) throw new Error(`nobody of the castle answers for ${address}: ${mac}`);
  return found.name;
}
