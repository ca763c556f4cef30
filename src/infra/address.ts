export const MACHINE_TYPE = "proxmox_virtual_environment_vm";
export const IMAGE_TYPE = "proxmox_download_file";

/** Terraform's names may not begin with a digit, machines' names may. */
function identifier(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

export function machineKey(node: string): string {
  return identifier(node);
}

export function imageKey(host: string): string {
  return identifier(`talos-${host.replaceAll(".", "_")}`);
}

/** The resource's address in Terraform, as plan and apply name it. */
export function machineAddress(node: string): string {
  return `${MACHINE_TYPE}.${machineKey(node)}`;
}

export function imageAddress(host: string): string {
  return `${IMAGE_TYPE}.${imageKey(host)}`;
}

/** What a person calls the resource. */
export function titleOf(address: string): string {
  const [type, key = address] = address.split(".", 2);
  if (type === MACHINE_TYPE) return `machine ${key.replace(/^_/, "")}`;
  if (type === IMAGE_TYPE) return `Talos image on ${key.replace(/^_?talos-/, "")}`;
  return address;
}
