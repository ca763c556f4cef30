import { join } from "node:path";
import type { MachineHost } from "./host.ts";
import type { MachineConfig } from "./machine.ts";
import { NETNS_FOLDER } from "../namespaces.ts";
import type { MachineNames } from "./names.ts";

/** Places of a Talos machine that keep their content over a power-off; each is a folder of the machine's disk. */
export const DISK_FOLDERS = [
  "var",
  "system/state",
  "etc/cni",
  "etc/kubernetes",
  "usr/libexec/kubernetes",
  "opt",
] as const;

/** Files under /etc that the machine's boot folder holds. */
export const BOOT_FILES = ["resolv.conf", "hosts", "hostname"] as const;

export interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options?: readonly string[];
}

/** What a host that lacks CAP_SYS_RESOURCE changes in a machine; see `oom-score.ts`. */
export interface InitChange {
  readonly args: readonly string[];
  readonly mounts: readonly Mount[];
}

export const PLAIN_INIT: InitChange = { args: ["/usr/sbin/init"], mounts: [] };

/** The part of the OCI runtime specification 1.0.2 that a machine uses. */
export type OciSpec = Readonly<Record<string, unknown>>;

const CPU_PERIOD = 100_000;
const MIB = 1024 * 1024;

/** The machine as runc's config.json. Pure: the same machine on the same host gives the same bytes. */
export function ociSpec(
  config: MachineConfig,
  names: MachineNames,
  host: MachineHost,
  change: InitChange = PLAIN_INIT,
): OciSpec {
  const capabilities = host.capabilities;
  return {
    ociVersion: "1.0.2",
    hostname: config.name,
    root: { path: join(names.boot, "root") },
    mounts: ociMounts(names, change.mounts),
    process: {
      user: { uid: 0, gid: 0 },
      cwd: "/",
      args: change.args,
      env: ["PATH=/usr/bin:/usr/sbin:/usr/local/bin:/opt/cni/bin", "PLATFORM=container"],
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: "RLIMIT_NOFILE", soft: host.openFiles, hard: host.openFiles }],
    },
    linux: {
      cgroupsPath: names.cgroup,
      resources: {
        devices: [{ allow: true, access: "rwm" }],
        memory: { limit: config.memory * MIB },
        // A quota of all the host's cores would only cost throttling.
        ...(config.cores < host.cores
          ? { cpu: { period: CPU_PERIOD, quota: config.cores * CPU_PERIOD } }
          : {}),
      },
      // kubelet's volumes have to propagate from the pods' mounts to the machine's and back.
      rootfsPropagation: "shared",
      namespaces: [
        ...["pid", "ipc", "uts", "mount", "cgroup"].map((type) => ({ type })),
        { type: "network", path: join(NETNS_FOLDER, names.namespace) },
      ],
      devices: [device("/dev/net/tun", 10, 200), device("/dev/fuse", 10, 229), device("/dev/kmsg", 1, 11)],
      maskedPaths: [],
      readonlyPaths: [],
    },
  };
}

/** In the order in which they are made: a later one may lie in an earlier one, never the other way round. */
export function ociMounts(names: MachineNames, more: readonly Mount[]): readonly Mount[] {
  return [
    ...kernelMounts,
    ...["/run", "/system", "/tmp"].map((destination) => tmpfs(destination)),
    ...DISK_FOLDERS.map((folder) => bind(join(names.disk, folder), `/${folder}`)),
    ...BOOT_FILES.map((file) => bind(join(names.boot, file), `/etc/${file}`)),
    ...more,
  ];
}

const kernelMounts: readonly Mount[] = [
  { destination: "/proc", type: "proc", source: "proc" },
  { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["newinstance", "ptmxmode=0666", "mode=0620"],
  },
  { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["mode=1777"] },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue" },
  { destination: "/sys", type: "sysfs", source: "sysfs" },
  // runc mounts whichever version the host has under this type.
  { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] },
];

function tmpfs(destination: string): Mount {
  return { destination, type: "tmpfs", source: "tmpfs", options: ["mode=755"] };
}

export function bind(source: string, destination: string, access: "rw" | "ro" = "rw"): Mount {
  return { destination, type: "bind", source, options: ["rbind", access] };
}

function device(path: string, major: number, minor: number) {
  return { path, type: "c", major, minor, fileMode: 0o666, uid: 0, gid: 0 };
}

/** Content of the machine's files under /etc, from what the Proxmox API was told and nothing else. */
export function bootFiles(config: MachineConfig): Readonly<Record<(typeof BOOT_FILES)[number], string>> {
  const own = config.cards.flatMap(({ address }) =>
    address === undefined ? [] : [`${address.split("/")[0]} ${config.name}\n`],
  );
  return {
    "resolv.conf": config.nameservers.map((server) => `nameserver ${server}\n`).join(""),
    hosts: ["127.0.0.1 localhost\n", ...own].join(""),
    hostname: `${config.name}\n`,
  };
}
