import { CastleError } from "../errors/castle-error.ts";
import type { Castle, CastleNode } from "../spec/castle.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { imageVolume } from "./image.ts";
import { ownershipTag } from "./ownership.ts";
import { missingPrivileges, pveumLines, requirements } from "./privileges.ts";
import type { StorageAnswer } from "./proxmox-answers.ts";
import type { Machine, ProxmoxClient } from "./proxmox-client.ts";

/** What stands in the way of creating the castle's machines. */
export interface PreflightFault {
  readonly message: string;
  /** The command to run or the line to change. */
  readonly hint: string;
}

const GIB = 1024 ** 3;
/** GiB that a machine writes in its first hours: all that storages need which allocate space as it is used. */
const FIRST_USE = 6;
/** Bytes that an unpacked Talos image takes, with room for its download. */
const IMAGE_SPACE = 3 * GIB;

/**
 * Looks at all that the castle needs of the hypervisor before anything is created, and finds every fault at once.
 * @throws CastleError infra/endpoint-unreachable, infra/token-rejected, infra/certificate-untrusted: without an answer
 *   there is nothing to look at
 */
export async function preflight(
  castle: Castle,
  connection: ProxmoxConnection,
  { client, signal }: { client: ProxmoxClient; signal?: AbortSignal },
): Promise<readonly PreflightFault[]> {
  const version = await client.version(signal);
  const hosts = [...new Set(castle.nodes.map((node) => node.host))];
  const [known, permissions, machines] = await Promise.all([
    client.hosts(signal),
    client.permissions(signal),
    client.machines(signal),
  ]);
  const present = hosts.filter((host) => known.includes(host));
  const tag = ownershipTag(castle.name);
  const missing = castle.nodes.filter(
    (node) => !machines.some((machine) => machine.vmid === node.vmid && machine.tags.includes(tag)),
  );
  const places = await Promise.all(
    present.map(async (host) => {
      const [storages, bridges] = await Promise.all([
        client.storages(host, signal),
        client.bridges(host, signal),
      ]);
      const image = storages.find((storage) => storage.storage === connection.imageDatastore);
      const hasImage =
        image !== undefined &&
        contentOf(image).includes("import") &&
        (await client.images(host, connection.imageDatastore, signal)).includes(
          imageVolume(castle, connection.imageDatastore),
        );
      return { host, storages, bridges, hasImage };
    }),
  );
  const lacking = missingPrivileges(permissions, requirements(castle, connection));
  return [
    ...versionFaults(version),
    ...hosts.filter((host) => !known.includes(host)).map((host) => hostFault(host, known)),
    ...(lacking.length === 0 ? [] : [privilegeFault(connection, lacking)]),
    ...places.flatMap((place) => [
      ...diskFaults(place, connection, missing),
      ...imageFaults(place, connection),
      ...bridgeFaults(place, connection),
    ]),
    ...ownershipFaults(castle, machines),
  ];
}

/** @throws CastleError infra/preflight with every fault in its details, if there is one */
export function assertReady(faults: readonly PreflightFault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  const lines = faults.map((fault) => `- ${fault.message}\n  ${fault.hint.replaceAll("\n", "\n  ")}`);
  throw new CastleError("infra/preflight", {
    message: `the hypervisor is not ready (${faults.length} ${faults.length === 1 ? "fault" : "faults"}):\n${lines.join("\n")}`,
    hint: "nothing has been changed; correct these and run the same command again",
    details: { faults },
  });
}

interface Place {
  readonly host: string;
  readonly storages: readonly StorageAnswer[];
  readonly bridges: readonly string[];
  readonly hasImage: boolean;
}

function versionFaults(version: string): readonly PreflightFault[] {
  const [major = 0, minor = 0] = version.split(/[.-]/).map(Number);
  if (major > 8 || (major === 8 && minor >= 4)) return [];
  const message = `Proxmox VE ${version} cannot import disk images over its API, expected 8.4 or newer`;
  return [{ message, hint: "upgrade the hosts: apt update && apt full-upgrade" }];
}

function hostFault(host: string, known: readonly string[]): PreflightFault {
  const message = `there is no Proxmox node ${host}, found ${known.join(", ")}`;
  return { message, hint: "correct hypervisor.proxmox.node or nodes in castle.yaml" };
}

function privilegeFault(
  connection: ProxmoxConnection,
  lacking: ReturnType<typeof missingPrivileges>,
): PreflightFault {
  const tokenId = connection.token.reveal().replace(/=.*$/s, "");
  const list = lacking.map(({ path, privileges }) => `${privileges.join(", ")} on ${path}`);
  return {
    message: `the API token ${tokenId} lacks ${list.join("; ")}`,
    hint: pveumLines(tokenId, lacking).join("\n"),
  };
}

function diskFaults(
  { host, storages }: Place,
  { datastore }: ProxmoxConnection,
  missing: readonly CastleNode[],
): readonly PreflightFault[] {
  const storage = storages.find((candidate) => candidate.storage === datastore);
  const hint = "correct hypervisor.proxmox.datastore in castle.yaml";
  if (storage === undefined) return [{ message: noStorage(datastore, host, storages), hint }];
  if (!contentOf(storage).includes("images")) {
    const message = `datastore ${datastore} on ${host} holds no disk images`;
    return [{ message, hint: setContent(storage, "images") }];
  }
  const wanted = missing
    .filter((node) => node.host === host)
    .reduce((sum, node) => sum + (isThick(storage) ? node.disk : Math.min(node.disk, FIRST_USE)), 0);
  if (storage.avail === undefined || storage.avail >= wanted * GIB) return [];
  const free = Math.floor(storage.avail / GIB);
  const message = `datastore ${datastore} on ${host} has ${free} GiB free, the new machines there need at least ${wanted} GiB`;
  return [{ message, hint: "free space, choose another datastore, or make the disks smaller" }];
}

function imageFaults(
  { host, storages, hasImage }: Place,
  { imageDatastore }: ProxmoxConnection,
): readonly PreflightFault[] {
  const storage = storages.find((candidate) => candidate.storage === imageDatastore);
  const hint = "correct hypervisor.proxmox.imageDatastore in castle.yaml";
  if (storage === undefined) return [{ message: noStorage(imageDatastore, host, storages), hint }];
  if (!contentOf(storage).includes("import")) {
    const message = `storage ${imageDatastore} on ${host} does not hold the content type import`;
    return [{ message, hint: setContent(storage, "import") }];
  }
  if (hasImage || storage.avail === undefined || storage.avail >= IMAGE_SPACE) return [];
  const free = (storage.avail / GIB).toFixed(1);
  const message = `storage ${imageDatastore} on ${host} has ${free} GiB free, the Talos image needs ${IMAGE_SPACE / GIB} GiB`;
  return [{ message, hint: "free space there, or choose another hypervisor.proxmox.imageDatastore" }];
}

function bridgeFaults({ host, bridges }: Place, { bridge }: ProxmoxConnection): readonly PreflightFault[] {
  if (bridges.includes(bridge)) return [];
  const message = `there is no bridge ${bridge} on ${host}, found ${bridges.join(", ") || "none"}`;
  return [{ message, hint: "correct hypervisor.proxmox.bridge in castle.yaml" }];
}

function ownershipFaults(castle: Castle, machines: readonly Machine[]): readonly PreflightFault[] {
  const tag = ownershipTag(castle.name);
  const foreign = machines.filter((machine) => !machine.tags.includes(tag));
  return castle.nodes.flatMap((node) => {
    const rival = foreign.find(({ vmid, name }) => vmid === node.vmid || name === node.name);
    if (rival === undefined) return [];
    const what = rival.vmid === node.vmid ? `VM id ${node.vmid}` : `the name ${node.name}`;
    const message = `${what} is held by VM ${rival.vmid} (${rival.name}) on ${rival.host}, which lacks the tag ${tag}`;
    return [{ message, hint: `rename the castle, or remove that machine: qm destroy ${rival.vmid}` }];
  });
}

/** Storages that take a disk's whole size when it is made. */
function isThick({ type }: StorageAnswer): boolean {
  return type === "lvm" || type === "iscsi" || type === "iscsidirect";
}

function noStorage(name: string, host: string, storages: readonly StorageAnswer[]): string {
  const found = storages.map((storage) => storage.storage).join(", ") || "none";
  return `there is no storage ${name} on ${host}, found ${found}`;
}

function setContent(storage: StorageAnswer, type: string): string {
  return `pvesm set ${storage.storage} --content ${[...contentOf(storage), type].join(",")}`;
}

function contentOf({ content }: StorageAnswer): readonly string[] {
  return content.split(",").filter((type) => type !== "");
}
