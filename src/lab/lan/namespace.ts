import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";
import { lanNamespace, NETNS_FOLDER } from "../namespaces.ts";

export interface LanNamespaceOptions {
  readonly lab: string;
  /** For example 192.168.1.0/24. */
  readonly cidr: string;
  /** The one address of the LAN that is not a machine's; it sits on the first bridge. */
  readonly gateway: string;
  /** Names of the bridges that machines may be plugged into; the first is the LAN. */
  readonly bridges: readonly [string, ...string[]];
}

/** @throws CastleError lan/name-invalid */
function checkedNamespace(lab: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(lab)) {
    throw new CastleError("lan/name-invalid", {
      message: `"${lab}" is no name for a lab: expected 1 to 40 lower-case letters, digits and inner hyphens`,
    });
  }
  return lanNamespace(lab);
}

/** What to put before a command so that it runs inside the network namespace; it keeps the pid. */
export function enterNamespace(namespace: string): readonly [string, ...string[]] {
  return ["nsenter", `--net=${join(NETNS_FOLDER, namespace)}`, "--"];
}

/** Names of the LAN namespaces of all labs on this machine. */
export async function listLanNamespaces(): Promise<string[]> {
  const names = await readdir(NETNS_FOLDER).catch(() => []);
  return names.filter((name) => /^castle-.+-lan$/.test(name)).toSorted();
}

/**
 * Makes the LAN or repairs what is left of one, and leaves machines that are plugged in alone. No address of it
 * appears in the root namespace.
 * @throws CastleError lan/name-invalid, command/missing, command/failed, command/timed-out
 */
export async function ensureLanNamespace(
  options: LanNamespaceOptions,
  signal?: AbortSignal,
): Promise<string> {
  const namespace = checkedNamespace(options.lab);
  for (const bridge of options.bridges) checkBridgeName(bridge);
  if (!(await isUsable(namespace))) {
    await forget(namespace);
    await run("ip", ["netns", "add", namespace], within(signal));
  }
  await ensureBridges(namespace, options, signal);
  await run(
    enterNamespace(namespace)[0],
    [...enterNamespace(namespace).slice(1), "sh", "-c", TUNING],
    within(signal),
  );
  return namespace;
}

/** Removes the LAN with every card in it; nothing happens if there is none. */
export async function removeLanNamespace(lab: string): Promise<void> {
  const namespace = checkedNamespace(lab);
  if (await isUsable(namespace)) {
    // A process that still sits in the namespace would keep its cards alive, and with them the machines' peers.
    const cards = (await links(namespace)).filter((link) => link.link_type !== "loopback");
    for (const card of cards) {
      // The other end of a pair may have gone with the one before.
      await run("ip", ["-n", namespace, "link", "delete", card.ifname], { accept: [1, 2], timeout: 10_000 });
    }
  }
  await forget(namespace);
}

/**
 * The gateway has no way out: with forwarding on and no default route, whoever tries the internet is told so at once
 * instead of waiting. Bridged frames do not go through the gateway's netfilter. A machine that is not there is noticed
 * after 3 x 300 ms, and a connection to one that was unplugged breaks after about 13 s instead of 15 minutes.
 */
const TUNING = `set -e
set_value() { if [ -w "/proc/sys/net/$1" ]; then echo "$2" > "/proc/sys/net/$1"; fi; }
set_value ipv4/ip_forward 1
set_value ipv4/conf/all/send_redirects 0
set_value ipv4/conf/default/send_redirects 0
set_value ipv4/tcp_retries2 5
for neighbour in /proc/sys/net/ipv4/neigh/*/retrans_time_ms; do echo 300 > "$neighbour"; done
for interface in /proc/sys/net/ipv4/conf/*/send_redirects; do echo 0 > "$interface"; done
for family in ip ip6 arp; do set_value "bridge/bridge-nf-call-\${family}tables" 0; done
`;

async function ensureBridges(
  namespace: string,
  { cidr, gateway, bridges }: LanNamespaceOptions,
  signal?: AbortSignal,
): Promise<void> {
  const found = new Map((await links(namespace)).map((link) => [link.ifname, link]));
  const commands: string[] = ["link set lo up"];
  for (const [index, bridge] of bridges.entries()) {
    const existing = found.get(bridge);
    if (existing !== undefined && existing.linkinfo?.info_kind !== "bridge") {
      commands.push(`link delete ${bridge}`);
    }
    if (existing?.linkinfo?.info_kind !== "bridge") commands.push(`link add ${bridge} type bridge`);
    commands.push(`link set ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`);
    const wanted = index === 0 ? `${gateway}/${cidr.split("/")[1]}` : undefined;
    const addresses = (existing?.addr_info ?? [])
      .filter((address) => address.family === "inet")
      .map((address) => `${address.local}/${address.prefixlen}`);
    for (const address of addresses) {
      if (address !== wanted) commands.push(`address delete ${address} dev ${bridge}`);
    }
    if (wanted !== undefined && !addresses.includes(wanted)) {
      commands.push(`address add ${wanted} dev ${bridge}`);
    }
    commands.push(`link set ${bridge} up`);
  }
  await run("ip", ["-n", namespace, "-batch", "-"], { ...within(signal), input: `${commands.join("\n")}\n` });
}

/** iproute2's JSON: a link without details comes as an empty object. */
const linksShape = z.array(
  z.object({
    ifname: z.string().default(""),
    link_type: z.string().default(""),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
    addr_info: z
      .array(
        z.object({
          family: z.string().optional(),
          local: z.string().optional(),
          prefixlen: z.int().optional(),
        }),
      )
      .default([]),
  }),
);
type Link = z.infer<typeof linksShape>[number];

async function links(namespace: string): Promise<Link[]> {
  const { stdout } = await run("ip", ["-n", namespace, "-json", "-details", "address", "show"], within());
  return linksShape.parse(JSON.parse(stdout === "" ? "[]" : stdout)).filter(({ ifname }) => ifname !== "");
}

/** A file of that name alone is not enough: after a kill between create and mount it is an empty file. */
async function isUsable(namespace: string): Promise<boolean> {
  const path = join(NETNS_FOLDER, namespace);
  const [here, folder] = await Promise.all([
    stat(path).catch(() => undefined),
    stat(NETNS_FOLDER).catch(() => undefined),
  ]);
  return here !== undefined && folder !== undefined && here.dev !== folder.dev;
}

async function forget(namespace: string): Promise<void> {
  const path = join(NETNS_FOLDER, namespace);
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  await run("ip", ["netns", "delete", namespace], { accept: [1], timeout: 10_000 });
  await rm(path, { force: true });
}

function checkBridgeName(bridge: string): void {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,14}$/.test(bridge)) {
    throw new CastleError("lan/name-invalid", {
      message: `"${bridge}" is no name for a bridge: expected a letter and up to 14 more letters, digits, _ . -`,
    });
  }
}

function within(signal?: AbortSignal): { readonly timeout: number; readonly signal?: AbortSignal } {
  return { timeout: 10_000, ...(signal === undefined ? {} : { signal }) };
}
