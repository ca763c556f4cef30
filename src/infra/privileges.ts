import type { Castle } from "../spec/castle.ts";
import type { ProxmoxConnection } from "./connection.ts";
import type { Permissions } from "./proxmox-answers.ts";

/** What a token must be allowed on one path of Proxmox' permission tree. */
export interface Requirement {
  readonly path: string;
  readonly privileges: readonly string[];
  /** Holding these instead is as good. */
  readonly alternative?: Requirement;
}

const MACHINES = [
  "VM.Allocate",
  "VM.Audit",
  "VM.Config.CDROM",
  "VM.Config.CPU",
  "VM.Config.Cloudinit",
  "VM.Config.Disk",
  "VM.Config.HWType",
  "VM.Config.Memory",
  "VM.Config.Network",
  "VM.Config.Options",
  "VM.PowerMgmt",
];

/** All that creating, reading, changing and deleting the castle's machines and images needs. */
export function requirements(castle: Castle, connection: ProxmoxConnection): readonly Requirement[] {
  const vlan = castle.network.vlan === undefined ? "" : `/${castle.network.vlan}`;
  const storages = new Map<string, readonly string[]>([[connection.datastore, ["Datastore.AllocateSpace"]]]);
  const here = storages.get(connection.imageDatastore) ?? [];
  storages.set(connection.imageDatastore, [...here, "Datastore.AllocateTemplate"]);
  return [
    { path: "/vms", privileges: MACHINES },
    ...[...storages].map(([name, privileges]) => ({
      path: `/storage/${name}`,
      privileges: [...privileges, "Datastore.Audit"].sort(),
    })),
    // Downloading by URL reaches out from the host's own network, so Proxmox asks for a right on the host.
    ...[...new Set(castle.nodes.map((node) => node.host))].map((host) => ({
      path: `/nodes/${host}`,
      privileges: ["Sys.AccessNetwork"],
      alternative: { path: "/", privileges: ["Sys.Audit", "Sys.Modify"] },
    })),
    { path: `/sdn/zones/localnetwork/${connection.bridge}${vlan}`, privileges: ["SDN.Use"] },
  ];
}

/** The requirements that the permissions do not meet, each with only the privileges that are missing. */
export function missingPrivileges(
  permissions: Permissions,
  required: readonly Requirement[],
): readonly Requirement[] {
  return required
    .filter(({ alternative }) => alternative === undefined || lacking(permissions, alternative).length > 0)
    .map((requirement) => ({ path: requirement.path, privileges: lacking(permissions, requirement) }))
    .filter(({ privileges }) => privileges.length > 0);
}

function lacking(permissions: Permissions, { path, privileges }: Requirement): readonly string[] {
  const held = heldAt(permissions, path);
  return privileges.filter((privilege) => !held.has(privilege));
}

/** Permissions of the nearest path above count, unless they are marked as not inherited. */
function heldAt(permissions: Permissions, path: string): ReadonlySet<string> {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("/")) || "/") {
    const found = permissions[at];
    if (found !== undefined) {
      const valid = Object.entries(found).filter(([, inherited]) => at === path || inherited === 1);
      return new Set(valid.map(([privilege]) => privilege));
    }
    if (at === "/") return new Set();
  }
}

/**
 * The lines that an administrator runs on a Proxmox host to give the token what it lacks. `tokenId`: user@realm!name.
 * The user gets the role as well, because a token with privilege separation never exceeds its user.
 */
export function pveumLines(tokenId: string, missing: readonly Requirement[]): readonly string[] {
  const user = tokenId.replace(/!.*$/, "");
  return missing.flatMap(({ path, privileges }, index) => {
    const role = `Castle${index + 1}`;
    return [
      `pveum role add ${role} --privs "${privileges.join(" ")}"`,
      `pveum acl modify ${path} --users ${user} --tokens '${tokenId}' --roles ${role}`,
    ];
  });
}
