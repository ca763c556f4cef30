import { chmod, copyFile, cp, link, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DebianTreeOptions } from "./debian-tree.ts";
import { unpackDebian } from "./debian-tree.ts";
import { nodeBase } from "./debian-base.ts";

/** Where the pieces of a node's root file system lie. */
export interface NodePieces {
  readonly machined: string;
  /** Folder with containerd and its shim. */
  readonly containerd: string;
  readonly runc: string;
  /** Folder of the CNI plugins. */
  readonly plugins: string;
  /** flannel's plugin, which hands over to them. */
  readonly flannel: string;
  /** A tree of configuration files, as they lie on the node. */
  readonly files: string;
}

/**
 * Puts together the root file system of a Talos node in container mode: what Talos' own image
 * has, over a Debian userland instead of Talos' own builds of the same tools.
 */
export async function assembleNodeRootfs(pieces: NodePieces, tree: DebianTreeOptions): Promise<void> {
  await unpackDebian(nodeBase, tree);
  const at = (path: string) => join(tree.folder, path);
  for (const path of folders) await mkdir(at(path), { recursive: true });
  for (const [path, source] of await programs(pieces)) await install(source, at(path), 0o755);
  for (const name of ["poweroff", "shutdown", "dashboard"])
    await link(at("usr/sbin/init"), at(`usr/sbin/${name}`));
  await cp(pieces.files, tree.folder, { recursive: true, verbatimSymlinks: true });
  // Talos bind-mounts what it renders over these, so they have to be there.
  for (const path of emptyFiles) await writeFile(at(path), "", { mode: 0o644 });
  await writeFile(at("usr/etc/in-container"), "true\n", { mode: 0o644 });
  for (const [path, target] of links) await symlink(target, at(path));
}

const folders = [
  "boot/EFI",
  "dev",
  "etc/cni/net.d",
  "etc/cri/conf.d/hosts",
  "etc/iscsi",
  "etc/kubernetes/manifests",
  "etc/nvme",
  "etc/selinux/targeted/contexts/files",
  "etc/ssl/certs",
  "mnt",
  "opt/cni/bin",
  "opt/containerd/bin",
  "opt/containerd/lib",
  "proc",
  "root",
  "run",
  "sys",
  "system/state",
  "tmp",
  "usr/etc",
  "usr/lib/firmware",
  "usr/lib/modules",
  "usr/lib/udev/rules.d",
  "usr/libexec/kubernetes",
  "usr/local/lib/kubelet/credentialproviders",
  "usr/local/share",
  "usr/share/spdx",
  "usr/share/zoneinfo/Etc",
  "var",
  ".extra",
];

const emptyFiles = [
  "etc/cri/conf.d/01-registries.part",
  "etc/cri/conf.d/20-customization.part",
  "etc/cri/conf.d/base-spec.json",
  "etc/cri/conf.d/cri.toml",
  "etc/extensions.yaml",
  "etc/hostname",
  "etc/hosts",
  "etc/iscsi/initiatorname.iscsi",
  "etc/machine-id",
  "etc/nvme/hostid",
  "etc/nvme/hostnqn",
  "etc/resolv.conf",
  "etc/selinux/targeted/contexts/files/file_contexts",
];

const links: readonly (readonly [path: string, target: string])[] = [
  ["etc/localtime", "/usr/share/zoneinfo/Etc/UTC"],
  ["etc/ssl/certs/ca-certificates", "ca-certificates.crt"],
  ["etc/pki", "/etc/ssl"],
  ["usr/share/ca-certificates", "/etc/ssl"],
  ["usr/local/share/ca-certificates", "/etc/ssl"],
];

async function programs(pieces: NodePieces): Promise<[path: string, source: string][]> {
  const plugins = await readdir(pieces.plugins);
  return [
    ["usr/sbin/init", pieces.machined],
    ["usr/bin/containerd", join(pieces.containerd, "containerd")],
    ["usr/bin/containerd-shim-runc-v2", join(pieces.containerd, "containerd-shim-runc-v2")],
    ["usr/bin/runc", pieces.runc],
    ["opt/cni/bin/flannel", pieces.flannel],
    ...plugins.map((name): [string, string] => [`opt/cni/bin/${name}`, join(pieces.plugins, name)]),
  ];
}

async function install(source: string, target: string, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await copyFile(source, target);
  await chmod(target, mode);
}
