import { type AddressRange, type Cidr, parseAddress, parseCidr, parseRange } from "./address.ts";
import type { Role } from "./castle.ts";
import { LAB_CIDR, LAB_COUNT, type HypervisorKind } from "./defaults.ts";
import { labControlPlanes, labGateway, labPool, labVip, labWorkers } from "./defaults.ts";
import type { Draft } from "./draft.ts";
import type { Path } from "./fault.ts";

/** The addresses of a castle as far as they are known; undefined is what is broken or missing. */
export interface Outline {
  readonly kind: HypervisorKind | undefined;
  readonly cidr: Cidr | undefined;
  readonly gateway: number | undefined;
  readonly vip: number | undefined;
  readonly pool: AddressRange | undefined;
  readonly controlPlanes: Group;
  readonly workers: Group;
}

export interface Group {
  readonly role: Role;
  /** nodes.controlPlanes or nodes.workers */
  readonly section: Path;
  readonly addresses: readonly number[] | undefined;
  /** Where the address of one node is written: its own place in a list, or the start of the count. */
  readonly placeOf: (index: number) => Path;
}

/** Read again after every fault: what the fault was found in is unknown from then on. */
export function outline(draft: Draft): Outline {
  const kind = hypervisorKind(draft);
  const lab = kind === "lab";
  const cidrText = draft.text(["network", "cidr"], lab ? LAB_CIDR : undefined);
  const cidr = cidrText === undefined ? undefined : parseCidr(cidrText);
  const labNetwork = lab ? cidr : undefined;
  const controlPlanes = group(draft, "controlplane", {
    count: lab ? LAB_COUNT.controlplane : undefined,
    from: labNetwork && labControlPlanes(labNetwork),
  });
  const planes = controlPlanes.addresses;
  const workers = group(draft, "worker", {
    count: kind === "proxmox" && !draft.has(["nodes", "workers"]) ? 0 : lab ? LAB_COUNT.worker : undefined,
    from: labNetwork && planes && labWorkers(labNetwork, planes),
  });
  return {
    kind,
    cidr,
    gateway: address(draft, ["network", "gateway"], labNetwork && labGateway(labNetwork)),
    vip: address(draft, ["network", "vip"], labNetwork && labVip(labNetwork)),
    pool: pool(draft, labNetwork),
    controlPlanes,
    workers,
  };
}

/** A lab's castle that has a platform gets a pool unasked. */
function pool(draft: Draft, labNetwork: Cidr | undefined): AddressRange | undefined {
  const path = ["loadBalancer", "pool"];
  const text = draft.text(path);
  if (text !== undefined) return parseRange(text);
  const wanted = draft.has(["gitops"]) || draft.has(["loadBalancer"]);
  return labNetwork === undefined || !wanted || draft.has(path) || !draft.trusts(path)
    ? undefined
    : labPool(labNetwork);
}

/** Undefined when it cannot be told: then nothing is missing and nothing has a default. */
export function hypervisorKind(draft: Draft): HypervisorKind | undefined {
  if (draft.text(["hypervisor"]) === "lab") return "lab";
  const lab = draft.has(["hypervisor", "lab"]);
  const proxmox = draft.has(["hypervisor", "proxmox"]);
  if (lab === proxmox) return undefined;
  return lab ? "lab" : "proxmox";
}

interface GroupDefaults {
  readonly count: number | undefined;
  readonly from: number | undefined;
}

function group(draft: Draft, role: Role, defaults: GroupDefaults): Group {
  const section = ["nodes", role === "controlplane" ? "controlPlanes" : "workers"];
  const list = [...section, "addresses"];
  if (draft.has(list)) {
    const addresses = draft.texts(list)?.flatMap((text) => parseAddress(text) ?? []);
    return { role, section, addresses, placeOf: (index) => [...list, index] };
  }
  const count = draft.trusts(list) ? draft.number([...section, "count"], defaults.count) : undefined;
  const from = address(draft, [...section, "from"], defaults.from);
  return { role, section, addresses: countUp(count, from), placeOf: () => [...section, "from"] };
}

function countUp(count: number | undefined, from: number | undefined): readonly number[] | undefined {
  if (count === 0) return [];
  if (count === undefined || from === undefined) return undefined;
  return Array.from({ length: count }, (_, index) => from + index);
}

function address(draft: Draft, path: Path, fallback: number | undefined): number | undefined {
  const text = draft.text(path);
  if (text !== undefined) return parseAddress(text);
  return draft.has(path) || !draft.trusts(path) ? undefined : fallback;
}
