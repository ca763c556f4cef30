import type { HypervisorKind } from "./defaults.ts";
import { DEFAULT_KUBERNETES, DEFAULT_TALOS } from "./versions.ts";

/**
 * The commented castle.yaml that `castle init` writes, valid as it stands. Against a rack its addresses and the
 * endpoint are examples that the author has to look at.
 */
export function renderTemplate(name: string, kind: HypervisorKind): string {
  return (kind === "lab" ? lab(name) : rack(name)) + everywhere(name);
}

function lab(name: string): string {
  return `# A castle in the lab: real Talos nodes on this machine. The name and the hypervisor are enough;
# every value below is the default, or an example behind a #.
castle: ${name}
hypervisor: lab

network:
  cidr: 192.168.1.0/24
  gateway: 192.168.1.1
  # The address of the Kubernetes API: one control plane at a time holds it.
  vip: 192.168.1.210

nodes:
  # An odd number: three survive the loss of one.
  controlPlanes:
    count: 3
    from: 192.168.1.211 # .211, .212, .213
    cores: 2
    memory: 2GiB
    disk: 10GiB
  workers:
    count: 2
    from: 192.168.1.214 # .214, .215
    cores: 2
    memory: 2GiB
    disk: 10GiB
`;
}

function rack(name: string): string {
  return `# A castle on a rack that runs Proxmox VE. Addresses, endpoint and node have no default: check each of them.
castle: ${name}

hypervisor:
  proxmox:
    # The API token comes from the environment.
    endpoint: https://pve.lan:8006
    # Several hosts carry more than one: control planes and workers are spread over them.
    node: pve
    # nodes: [pve1, pve2, pve3]
    datastore: local-lvm
    # Where the Talos image is downloaded to; its content types must hold import.
    imageDatastore: local
    bridge: vmbr0
    # insecure: true # accept a certificate that cannot be verified
    # vmIds: { from: 5000 } # control planes from 5000, workers from 5100; derived from the name unless told

network:
  cidr: 192.168.1.0/24
  gateway: 192.168.1.1
  # A free address for the Kubernetes API: one control plane at a time holds it.
  vip: 192.168.1.210

nodes:
  # An odd number: three survive the loss of one.
  controlPlanes:
    count: 3
    from: 192.168.1.211 # .211, .212, .213; or a list: addresses: [192.168.1.211, …]
    cores: 2
    memory: 4GiB
    disk: 20GiB
  workers:
    count: 2
    from: 192.168.1.214
    cores: 4
    memory: 8GiB
    disk: 50GiB
`;
}

function everywhere(name: string): string {
  return `  # Strategic merge patches of one node's Talos machine config.
  # patches:
  #   ${name}-worker-1:
  #     - machine: { nodeLabels: { disk: fast } }

talos:
  version: ${DEFAULT_TALOS}
  # discovery: off # or the address of a discovery service
  # extensions: [siderolabs/qemu-guest-agent]
  # Strategic merge patches of every node's machine config.
  # patches:
  #   - machine: { sysctls: { vm.max_map_count: "262144" } }

kubernetes:
  version: ${DEFAULT_KUBERNETES}

# More of network: dns: [192.168.1.1], ntp: [time.cloudflare.com], vlan: 20.

# What follows is installed once the nodes are Ready. A section that is absent is not installed; a lab with
# nothing but "gitops: {}" gets a pool, an ingress with certificates and a site along.
# loadBalancer: { pool: 192.168.1.230-192.168.1.239 }
# ingress: { tls: { acme: letsencrypt, email: me@example.org } }
# gitops: { repository: https://git.lan/tazlab-k8s.git, branch: main, path: clusters/${name} }
# registry: registry.lan/tazlab # where castle puts images of its own for a rack's nodes; a lab serves them itself
# secrets: file # or: { infisical: { project: ID, environment: prod } }
# monitoring: { prometheus: true, grafana: true, webhook: https://alerts.lan/castle }
# disks: { encryption: { key: nodeID } } # or: static, tpm, { kms: https://kms.lan:4443 }
# sites:
#   - { name: blog, host: blog.tazlab.net, source: ../blog-src, image: registry.lan/tazlab/blog }
`;
}
