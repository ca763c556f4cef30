import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { pid as ownPid } from "node:process";
import { identify, type ProcessIdentity } from "../../support/process-identity.ts";
import { NETNS_FOLDER } from "../namespaces.ts";
import { cgroupChildren, cgroupProcesses } from "./cgroup.ts";
import { mountPoints } from "./mount-points.ts";
import { labCgroup, machinesFolder, runFolder } from "./names.ts";
import { vethNames } from "./network.ts";

/** Something of a lab that is still on the host. */
export type Leftover =
  | { readonly kind: "namespace"; readonly lab: string; readonly name: string }
  | { readonly kind: "veth"; readonly lab: string; readonly namespace: string; readonly name: string }
  | { readonly kind: "mount"; readonly lab: string; readonly path: string }
  | { readonly kind: "cgroup"; readonly lab: string; readonly path: string }
  | ({ readonly kind: "process"; readonly lab: string; readonly command: string } & ProcessIdentity)
  | { readonly kind: "state"; readonly lab: string; readonly path: string };

export interface CensusScope {
  /** The labs to look for: one name, or all names with a prefix. */
  readonly labs: { readonly name: string } | { readonly prefix: string };
  /** The folder that holds one state folder for each lab. */
  readonly states: string;
}

/** Finds everything that labs left on this host, running or not. Reads only. */
export async function census(scope: CensusScope): Promise<readonly Leftover[]> {
  const labs = await labNames(scope);
  const found = await Promise.all(
    labs.map(async (lab) => {
      const namespaces = await namespacesOf(lab);
      // First and alone: to ask a namespace for its links, a process has to go into it.
      const running = await processes(lab, namespaces, scope.states);
      const rest = await Promise.all([
        veths(lab, namespaces),
        mounts(lab, scope.states),
        cgroups(lab),
        folders(lab, scope.states),
      ]);
      return [
        ...namespaces.map((name) => ({ kind: "namespace", lab, name }) as const),
        ...running,
        ...rest.flat(),
      ];
    }),
  );
  return found.flat();
}

/** Names that any of a lab's traces bears: a namespace, a cgroup, a folder of state or of /run. */
async function labNames({ labs, states }: CensusScope): Promise<readonly string[]> {
  if ("name" in labs) return [labs.name];
  const [namespaces, groups, stateFolders, runFolders] = await Promise.all([
    list(NETNS_FOLDER),
    cgroupChildren("/castle"),
    list(states),
    list(runFolder("")),
  ]);
  const fromNamespaces = namespaces.flatMap((name) => labOfNamespace(name) ?? []);
  const all = new Set([...fromNamespaces, ...groups, ...stateFolders, ...runFolders]);
  return [...all].filter((name) => name.startsWith(labs.prefix)).sort();
}

/** castle-LAB-lan or castle-LAB-VMID; a lab's name may itself hold hyphens. */
function labOfNamespace(name: string): string | undefined {
  return /^castle-(.+)-(?:lan|\d+)$/.exec(name)?.[1];
}

async function namespacesOf(lab: string): Promise<readonly string[]> {
  return (await list(NETNS_FOLDER)).filter((name) => labOfNamespace(name) === lab);
}

async function veths(lab: string, namespaces: readonly string[]): Promise<readonly Leftover[]> {
  const found = await Promise.all(
    namespaces.map(async (namespace) => {
      // A file whose namespace is gone (a kill between its creation and its mount) has no links to ask for.
      const names = await vethNames(namespace).catch(() => []);
      return names.map((name) => ({ kind: "veth", lab, namespace, name }) as const);
    }),
  );
  return found.flat();
}

/**
 * Its daemon, and processes in the lab's cgroups, in its namespaces, or with a machine's boot folder among their arguments, as its
 * supervisor and runc have it. (Somebody's `tail -f` of a console is not the lab's.)
 */
async function processes(
  lab: string,
  namespaces: readonly string[],
  states: string,
): Promise<readonly Leftover[]> {
  const inodes = await Promise.all(
    namespaces.map((name) =>
      stat(join(NETNS_FOLDER, name)).then(
        (file) => `net:[${file.ino}]`,
        () => "",
      ),
    ),
  );
  const inGroup = new Set(await cgroupProcesses(labCgroup(lab)));
  const pids = (await list("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const machines = `${machinesFolder(join(states, lab))}/`;
  const found = await Promise.all(
    pids.map(async (pid) => {
      if (pid === ownPid) return [];
      const [network, commandLine] = await Promise.all([
        readlink(`/proc/${pid}/ns/net`).catch(() => undefined),
        readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
      ]);
      const belongs =
        inGroup.has(pid) ||
        (network !== undefined && inodes.includes(network)) ||
        isDaemon(commandLine, lab) ||
        commandLine.split("\0").some((argument) => isBootFolder(argument, machines));
      if (!belongs) return [];
      const identity = await identify(pid);
      const command = commandLine.replaceAll("\0", " ").trim().slice(0, 200);
      return identity === undefined ? [] : [{ kind: "process", lab, ...identity, command } as const];
    }),
  );
  return found.flat();
}

/** A lab's daemon is in none of its namespaces: it is known by what it was asked to do. */
function isDaemon(commandLine: string, lab: string): boolean {
  return commandLine.endsWith(`\0lab\0serve\0${lab}\0`);
}

function isBootFolder(argument: string, machines: string): boolean {
  return argument.startsWith(machines) && /^\d+\/boot$/.test(argument.slice(machines.length));
}

async function mounts(lab: string, states: string): Promise<readonly Leftover[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  const roots = [`${join(states, lab)}/`, `${runFolder(lab)}/`];
  const points = mountPoints(text).filter((point) => roots.some((root) => `${point}/`.startsWith(root)));
  return points.map((path) => ({ kind: "mount", lab, path }) as const);
}

async function cgroups(lab: string): Promise<readonly Leftover[]> {
  const there = (await cgroupChildren("/castle")).includes(lab);
  return there ? [{ kind: "cgroup", lab, path: labCgroup(lab) }] : [];
}

async function folders(lab: string, states: string): Promise<readonly Leftover[]> {
  const candidates = [join(states, lab), runFolder(lab)];
  const there = await Promise.all(
    candidates.map((path) =>
      stat(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return there.flat().map((path) => ({ kind: "state", lab, path }) as const);
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
