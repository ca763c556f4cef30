/** What in a lab stands in for something of a rack: a castle that stands in a lab proves nothing of these. */
export const LAB_STAND_INS = [
  "all hosts are this one machine: the loss of a host is not what it would be on a rack",
  "machines are containers in network namespaces: no firmware, boot loader or kernel of their own, no Talos installer",
  "the Talos image is named, not fetched: nothing is downloaded or verified, the machines boot the lab's parts",
  "disks are folders: no partitions, no encryption, and no limit, whatever size they are given",
  "a machine has one disk: second disks are kept in its configuration and not given to it",
  "cores are a quota of the host's time and memory is a limit within the host's: a node sees all of the host's cores and memory",
  "addresses are given to the machine's card by the hypervisor, where a rack's nodes read them from cloud-init",
  "a VLAN tag is kept in the card's configuration: the lab's network has no VLANs",
  "the hypervisor wipes a machine after a Talos reset, which container mode leaves undone, and never sees whether the reset asked for a reboot",
  "a reboot through the Talos API is refused by container mode: castle power-cycles the machine instead",
  "container images come from a registry on the lab's network, built from the projects' own modules rather than pulled",
  "CoreDNS is 1.15.0 under the tag v1.12.4, the version that Kubernetes 1.34 asks for",
  "the kubelet's eviction thresholds are absolute sizes, because all nodes share one disk",
  "the GitOps repository is on the lab's own Git server unless the spec names another",
  "certificates come from the lab's own ACME server and its own root, whatever the spec names of Let's Encrypt",
  "time comes from the host, names from the lab's own DNS, membership from the lab's own discovery service",
] as const;
