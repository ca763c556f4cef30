import { access } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";
import type { MachineConfig } from "./machine.ts";
import { lanNamespace, NETNS_FOLDER } from "../namespaces.ts";
import { cableName } from "./names.ts";

/** `ip -batch` lines to run inside the LAN: a cable from the switch to each card, plugged in. */
export function cableLines(config: MachineConfig, namespace: string): readonly string[] {
  return config.cards.flatMap(({ mac, bridge }, index) => {
    const cable = cableName(config.vmid, index);
    return [
      `link add ${cable} type veth peer name eth${index} address ${mac} netns ${namespace}`,
      `link set ${cable} master ${bridge} up`,
    ];
  });
}

/** `ip -batch` lines to run inside the machine's namespace: what ipconfigN said, and nothing else. */
export function cardLines(config: MachineConfig): readonly string[] {
  return [
    "link set lo up",
    ...config.cards.flatMap(({ address, gateway }, index) => [
      `link set eth${index} up`,
      ...(address === undefined ? [] : [`address add ${address} dev eth${index}`]),
      ...(gateway === undefined ? [] : [`route add default via ${gateway} dev eth${index}`]),
    ]),
  ];
}

/**
 * Makes the machine's namespace and connects it to the LAN. Expects that nothing of it is left (`disconnect`).
 * @throws CastleError machine/no-lan
 */
export async function connect(lab: string, config: MachineConfig, namespace: string): Promise<void> {
  const lan = lanNamespace(lab);
  if (!(await namespaceExists(lan))) {
    throw new CastleError("machine/no-lan", {
      message: `Machine ${config.vmid} cannot start: the network namespace ${lan} does not exist`,
      hint: "castle lab up",
    });
  }
  await run("ip", ["netns", "add", namespace]);
  await batch(lan, cableLines(config, namespace));
  await batch(namespace, cardLines(config));
}

/** Pulls all cables of a machine; the namespace's addresses are cut off at once, whoever still holds it. */
export async function unplug(lab: string, vmid: number): Promise<void> {
  const lan = lanNamespace(lab);
  const cables = await cablesOf(lan, vmid);
  if (cables.length === 0) return;
  await batch(
    lan,
    cables.map((cable) => `link delete ${cable}`),
    "force",
  );
}

/** Removes the machine's namespace and cables. */
export async function disconnect(lab: string, vmid: number, namespace: string): Promise<void> {
  await unplug(lab, vmid);
  if (await namespaceExists(namespace)) await run("ip", ["netns", "delete", namespace], { accept: [1] });
}

/** Takes a machine's cables out of the switch or puts them back, and leaves its cards alone. */
export async function setCables(lab: string, vmid: number, up: boolean): Promise<void> {
  const lan = lanNamespace(lab);
  const cables = await cablesOf(lan, vmid);
  await batch(
    lan,
    cables.map((cable) => `link set ${cable} ${up ? "up" : "down"}`),
  );
}

async function namespaceExists(namespace: string): Promise<boolean> {
  return access(join(NETNS_FOLDER, namespace)).then(
    () => true,
    () => false,
  );
}

/** Names of the veth links in a namespace; none if there is no such namespace. */
export async function vethNames(namespace: string): Promise<readonly string[]> {
  if (!(await namespaceExists(namespace))) return [];
  const { stdout } = await run("ip", ["-n", namespace, "-o", "link", "show", "type", "veth"], {
    accept: [1, 255],
  });
  return [...stdout.matchAll(/^\d+: ([^@:\s]+)/gm)].map((match) => match[1] ?? "");
}

async function cablesOf(lan: string, vmid: number): Promise<readonly string[]> {
  const cable = new RegExp(`^vm${vmid}n\\d+$`);
  return (await vethNames(lan)).filter((name) => cable.test(name));
}

/** One `ip` process for all lines; `force` goes on after a line that fails, because gone is as good as deleted. */
async function batch(namespace: string, lines: readonly string[], mode?: "force"): Promise<void> {
  const force = mode === undefined ? [] : ["-force"];
  await run("ip", ["-n", namespace, ...force, "-batch", "-"], {
    input: `${lines.join("\n")}\n`,
    ...(mode === undefined ? {} : { accept: [1] }),
  });
}
