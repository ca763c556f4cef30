import type { CastleNode } from "../../spec/castle.ts";
import type { CallSettings, TalosClient } from "../../talos/client.ts";
import { nodeClock } from "../../talos/clock.ts";
import { etcdAlarms, etcdMembers, etcdStatus } from "../../talos/etcd.ts";
import {
  addressStatuses,
  diagnostics,
  staticPodStatuses,
  timeStatuses,
  volumeStatuses,
} from "../../talos/kinds.ts";
import { version } from "../../talos/machine.ts";
import { totalMemory } from "../../talos/memory.ts";
import { neighbourTable } from "../../talos/neighbours.ts";
import { getResource, listResources } from "../../talos/resources.ts";
import { services } from "../../talos/services.ts";
import { listeningSockets } from "../../talos/sockets.ts";
import { machineState } from "../../talos/stage.ts";
import { slowDiskLines } from "./etcd-log.ts";
import type { EtcdExamination, NodeExamination, NodeState } from "../examination.ts";
import { isFailure, noAnswer } from "../../errors/failure.ts";

export interface ExamineSettings extends CallSettings {
  /** Also what only a diagnosis needs: sockets, neighbours, logs. */
  readonly thorough: boolean;
}

/** Everything that one node's machine API tells, asked at once. */
export async function examineNode(
  node: CastleNode,
  client: TalosClient,
  settings: ExamineSettings,
): Promise<NodeExamination> {
  try {
    // One call first: a node that is silent is asked once, not a dozen times.
    const running = await version(client, settings);
    const [state, etcd] = await Promise.all([
      generalState(client, settings),
      node.role === "controlplane" ? examineEtcd(client, settings) : undefined,
    ]);
    return { node, talos: running.talos, ...state, etcd };
  } catch (error) {
    if (isFailure(error)) {
      return { node, silent: error.message };
    }
    throw error;
  }
}

async function generalState(
  client: TalosClient,
  { thorough, ...settings }: ExamineSettings,
): Promise<Omit<NodeState, "talos" | "etcd">> {
  const [state, running, addresses, warnings, pods, memory, volume, time, skew, neighbours, sockets] =
    await Promise.all([
      machineState(client, settings),
      services(client, settings),
      listResources(client, addressStatuses, settings),
      listResources(client, diagnostics, settings),
      listResources(client, staticPodStatuses, settings),
      totalMemory(client, settings).catch(noAnswer),
      getResource(client, volumeStatuses, "EPHEMERAL", settings).catch(noAnswer),
      getResource(client, timeStatuses, "node", settings).catch(noAnswer),
      skewOf(client, settings).catch(noAnswer),
      thorough ? neighbourTable(client, settings).catch(noAnswer) : undefined,
      thorough ? listeningSockets(client, settings).catch(noAnswer) : undefined,
    ]);
  return {
    state,
    services: running,
    addresses: addresses.map(({ spec }) => spec.address.split("/")[0] ?? ""),
    diagnostics: warnings.map(({ id, spec }) => ({ id, message: spec.message })),
    staticPods: pods.map(({ id, spec }) => ({
      id,
      ready: spec.conditions.some(({ type, status }) => type === "Ready" && status === "True"),
    })),
    memory,
    disk: mebibytes(volume?.spec.size),
    clock: clockOf(time?.spec),
    skew,
    neighbours,
    sockets,
  };
}

function mebibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined || bytes === 0 ? undefined : Math.floor(bytes / 1024 ** 2);
}

/** Against the middle of the question's own time. */
async function skewOf(client: TalosClient, settings: CallSettings): Promise<number | undefined> {
  const asked = Date.now();
  const told = await nodeClock(client, settings);
  return told === undefined ? undefined : told.getTime() - (asked + Date.now()) / 2;
}

function clockOf(time: { synced: boolean; syncDisabled: boolean } | undefined): NodeState["clock"] {
  if (time === undefined || time.syncDisabled) return "off";
  return time.synced ? "synchronised" : "not synchronised";
}

/** Undefined: this node's etcd answers nothing; its service's state says why. */
async function examineEtcd(
  client: TalosClient,
  { thorough, ...settings }: ExamineSettings,
): Promise<EtcdExamination | undefined> {
  const asked = async (): Promise<EtcdExamination> => {
    const [status, members, alarms, slow] = await Promise.all([
      etcdStatus(client, settings),
      etcdMembers(client, { ...settings, local: true }),
      etcdAlarms(client, settings),
      thorough ? slowDiskLines(client, settings).catch(noAnswer) : undefined,
    ]);
    return { status, members, alarms, slow: slow ?? [] };
  };
  return asked().catch(noAnswer);
}
