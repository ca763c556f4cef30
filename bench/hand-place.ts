import { chmod, mkdir, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { seedRegistry } from "../src/lab/lan/registry-seed.ts";
import { observeHost } from "../src/lab/machine/host.ts";
import type { PartsStore } from "../src/lab/parts/store.ts";
import type { Castle, MachinePatch } from "../src/spec/castle.ts";
import { run } from "../src/support/run.ts";
import { labGround } from "../src/talos/ground.ts";
import { patches } from "../src/talos/patches.ts";

export interface HandPlace {
  /** Folder of the unchanged scripts. */
  readonly scripts: string;
  /** Their $HAND. */
  readonly folder: string;
  /** Folder with runc and kubectl, the product's own, first on PATH. */
  readonly programs: string;
  readonly registry: string;
  readonly signal: AbortSignal;
}

export interface HandOptions {
  readonly store: PartsStore;
  readonly castle: Castle;
  readonly scripts: string;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Gives the scripts what castle has: the same parts, images and settings of the nodes. */
export async function handPlace({ store, castle, scripts, folder, signal }: HandOptions): Promise<HandPlace> {
  const programs = join(folder, "bin");
  await mkdir(programs, { recursive: true });
  await symlink(await store.resolve("talosctl"), join(folder, "talosctl"));
  for (const name of ["runc", "kubectl"]) await symlink(await store.resolve(name), join(programs, name));
  await copyRootfs(await store.resolve("node-rootfs"), join(folder, "rootfs"));
  const images = (await store.images()).map((image) => ({
    ...image,
    repository: image.repository.slice(image.repository.indexOf("/") + 1),
  }));
  await seedRegistry(join(folder, "registry"), images);
  await writeConfigs(castle, folder, signal);
  return { scripts, folder, programs, registry: await store.resolve("registry"), signal };
}

/**
 * Hard links, because the scripts only read it. Where the host refuses to lower oom_score_adj, runc needs the wrapper
 * of lab.md; castle puts one over its machines' runc, the scripts expect it in the root file system.
 */
async function copyRootfs(from: string, to: string): Promise<void> {
  await run("cp", ["-al", from, to]).catch(() => run("cp", ["-a", "--reflink=auto", from, to]));
  if ((await observeHost()).capabilities.includes("CAP_SYS_RESOURCE")) return;
  const runc = join(to, "usr/bin/runc");
  await rename(runc, `${runc}.real`);
  await writeFile(runc, WRAPPER, { mode: 0o755 });
  await chmod(runc, 0o755);
}

const WRAPPER = `#!/bin/sh
previous=
for argument; do
  case "$previous" in
  --bundle | -b) sed -i -E 's/"oomScoreAdj": *-[0-9]+/"oomScoreAdj":0/' "$argument/config.json" ;;
  esac
  previous=$argument
done
exec "$0.real" "$@"
`;

/** One configuration a role, as the scripts want it; addresses and names come from the container. */
async function writeConfigs(castle: Castle, folder: string, signal: AbortSignal): Promise<void> {
  const cfg = join(folder, "cfg");
  const ground = labGround({ registry: "http://192.168.1.1:5000", discovery: "http://192.168.1.1:3000" });
  const role = async (name: "controlplane" | "worker") => {
    const node = castle.nodes.find((candidate) => candidate.role === name);
    if (node === undefined) throw new Error(`the bench's castle has no ${name}`);
    const [ours] = patches(castle, node, ground);
    const file = join(folder, `${name}.patch.yaml`);
    await writeFile(file, stringify(forScripts(ours ?? {}, castle, name)), { mode: 0o600 });
    return file;
  };
  const talosctl = join(folder, "talosctl");
  const args = ["gen", "config", castle.name, `https://${castle.network.vip}:6443`, `--output=${cfg}`];
  const versions = [
    `--talos-version=${castle.talos.version}`,
    `--kubernetes-version=${castle.kubernetes.version.replace(/^v/, "")}`,
  ];
  const plain = ["--with-docs=false", "--with-examples=false"];
  const control = `--config-patch-control-plane=@${await role("controlplane")}`;
  const worker = `--config-patch-worker=@${await role("worker")}`;
  await run(talosctl, [...args, ...versions, ...plain, control, worker], { signal });
  if (!(await readdir(cfg)).includes("controlplane.yaml"))
    throw new Error("talosctl wrote no configurations");
}

const section = z.record(z.string(), z.unknown());
const sections = z.object({ machine: section, cluster: section });

/** Without what differs from node to node, and without discovery: the scripts' LAN has no such service. */
function forScripts(patch: MachinePatch, { network }: Castle, role: string): MachinePatch {
  const { machine, cluster } = sections.parse(patch);
  const vip = { interfaces: [{ interface: "eth0", vip: { ip: network.vip } }] };
  return {
    machine: { ...machine, network: role === "controlplane" ? vip : {} },
    cluster: { ...cluster, discovery: { enabled: false } },
  };
}
