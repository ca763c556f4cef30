import type { Role } from "../castle.ts";
import { DEFAULT_SIZE, type HypervisorKind, LEAST_DISK, LEAST_MEMORY } from "../defaults.ts";
import type { Draft } from "../draft.ts";
import { formatPath, type Path } from "../fault.ts";
import { nodeName } from "../identity.ts";
import { nearest } from "../nearest.ts";
import { hypervisorKind, outline } from "../outline.ts";
import { formatSize, parseSize } from "../size.ts";

/** etcd's own advice: more members make every write slower and no castle safer. */
const MOST_CONTROL_PLANES = 7;
const MOST_MEMORY = 16 * 1024 * 1024;
const MOST_DISK = 64 * 1024 * 1024;

/** How many nodes there are, told in one way, and how large they are. */
export function checkNodes(draft: Draft): void {
  for (const role of ["controlplane", "worker"] as const) {
    const section = ["nodes", role === "controlplane" ? "controlPlanes" : "workers"];
    checkOneWay(draft, section);
    checkSizes(draft, section, role);
  }
  checkQuorum(draft, ["nodes", "controlPlanes"]);
}

function checkOneWay(draft: Draft, section: Path): void {
  const addresses = [...section, "addresses"];
  const others = ["count", "from"].filter((key) => draft.has([...section, key]));
  if (!draft.has(addresses) || others.length === 0) return;
  const message = `${formatPath(addresses)} stands beside ${others.join(" and ")}, expected one of the two ways`;
  draft.fault(addresses, { message, hint: "keep addresses, or count and from", part: "key" });
}

function checkQuorum(draft: Draft, section: Path): void {
  const listed = draft.has([...section, "addresses"]);
  const path = [...section, listed ? "addresses" : "count"];
  const count = listed ? draft.texts(path)?.length : draft.number(path);
  if (count === undefined || !draft.trusts(path)) return;
  const hint = "take an odd number: 1, 3 or 5";
  const name = formatPath(path);
  if (count % 2 === 0) {
    const why = `${count} of them survive no more losses than ${count - 1}`;
    const says = listed ? `holds ${count} control planes` : `is ${count}`;
    draft.fault(path, { message: `${name} ${says}, expected an odd number: ${why}`, hint });
  } else if (count > MOST_CONTROL_PLANES) {
    const message = `${name} makes ${count} control planes, expected at most ${MOST_CONTROL_PLANES}`;
    draft.fault(path, { message, hint: "etcd gets slower with every member; add workers instead" });
  }
}

function checkSizes(draft: Draft, section: Path, role: Role): void {
  // Of two kinds that are possible the one that allows more: the fault is in the hypervisor then.
  const kind: HypervisorKind = hypervisorKind(draft) ?? "lab";
  const defaults = DEFAULT_SIZE[kind][role];
  const what = role === "controlplane" ? "a control plane" : "a worker";
  within(draft, [...section, "memory"], {
    least: LEAST_MEMORY[kind][role],
    most: MOST_MEMORY,
    what,
    usual: defaults.memory,
  });
  const disk = [...section, "disk"];
  within(draft, disk, { least: LEAST_DISK[kind] * 1024, most: MOST_DISK, what, usual: defaults.disk });
  const text = draft.text(disk);
  const mebibytes = text === undefined ? undefined : parseSize(text);
  if (mebibytes !== undefined && mebibytes % 1024 !== 0) {
    const hint = `the next one is ${formatSize(Math.ceil(mebibytes / 1024) * 1024)}`;
    draft.fault(disk, { message: `${formatPath(disk)} is ${text}, expected whole GiB`, hint });
  }
}

interface Limits {
  readonly least: number;
  readonly most: number;
  readonly what: string;
  readonly usual: string;
}

function within(draft: Draft, path: Path, { least, most, what, usual }: Limits): void {
  const text = draft.text(path);
  const size = text === undefined ? undefined : parseSize(text);
  if (size === undefined || (size >= least && size <= most)) return;
  const limit = size < least ? `at least ${formatSize(least)}` : `at most ${formatSize(most)}`;
  const message = `${formatPath(path)} is ${text}, expected ${limit} for ${what}`;
  draft.fault(path, { message, hint: `usual: ${usual}` });
}

/** Patches belong to nodes that exist, and have the shape that Talos merges. */
export function checkPatches(draft: Draft): void {
  const section: Path = ["nodes", "patches"];
  checkPatchShape(draft, ["talos", "patches"]);
  const { controlPlanes, workers } = outline(draft);
  const castle = draft.text(["castle"]);
  const names =
    castle === undefined || controlPlanes.addresses === undefined || workers.addresses === undefined
      ? undefined
      : [controlPlanes, workers].flatMap(({ role, addresses }) =>
          (addresses ?? []).map((_, index) => nodeName(castle, role, index)),
        );
  for (const name of draft.keys(section)) {
    const path = [...section, name];
    if (names !== undefined && draft.trusts(path) && !names.includes(name)) {
      const meant = nearest(name, names);
      const hint = meant === undefined ? `nodes: ${names.join(", ")}` : `did you mean ${meant}?`;
      draft.fault(path, { message: `${name} in nodes.patches is no node of this castle`, hint, part: "key" });
    } else {
      checkPatchShape(draft, path);
    }
  }
}

function checkPatchShape(draft: Draft, path: Path): void {
  for (let index = 0; index < draft.count(path); index++) {
    const item = [...path, index];
    const keys = draft.keys(item);
    if (!draft.trusts(item) || !keys.includes("op") || !keys.includes("path")) continue;
    const message = `${formatPath(item)} is a JSON patch, expected a strategic merge patch`;
    draft.fault(item, {
      message,
      hint: "write the part of the machine config itself, such as machine: {sysctls: …}",
    });
  }
}
