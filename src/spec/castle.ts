/**
 * The castle that a castle.yaml describes, with every default applied and every derived name, address, MAC and
 * VM id filled in. Made by `resolve`, read by every room; plain data, no methods.
 */
export interface Castle {
  readonly name: string;
  readonly network: Network;
  /** Control planes first, each group in the order of its addresses. */
  readonly nodes: readonly CastleNode[];
  readonly hypervisor: Hypervisor;
  readonly talos: TalosSettings;
  readonly kubernetes: { readonly version: string };
  /** FIRST-LAST, both included. */
  readonly loadBalancer?: { readonly pool: string };
  readonly ingress?: { readonly tls?: CertificateSettings };
  /** Without it nothing above the nodes is installed. */
  readonly gitops?: GitopsSettings;
  /** HOST/FOLDER where castle puts images of its own; absent in a lab: the lab's own registry serves them. */
  readonly registry?: string;
  /** Absent means the encrypted file. */
  readonly secrets?: SecretStore;
  readonly monitoring?: MonitoringSettings;
  /** Absent: backups are taken where the command says, and nobody asks for their age. */
  readonly backup?: BackupSettings;
  readonly disks?: { readonly encryption?: DiskEncryption };
  readonly sites?: readonly Site[];
}

interface CertificateSettings {
  /** letsencrypt, letsencrypt-staging (in a lab its own ACME server answers for both) or the address of a directory. */
  readonly acme: string;
  readonly email: string;
  /** PEM of a private authority's root; absent: public authorities. */
  readonly ca?: string;
}

interface GitopsSettings {
  /** Absent in a lab: the repository that the lab's own Git server keeps for this castle. */
  readonly repository?: string;
  readonly branch: string;
  /** Inside the repository, for example clusters/fortress. */
  readonly path: string;
}

type SecretStore =
  | { readonly kind: "file" }
  | {
      readonly kind: "infisical";
      readonly project: string;
      readonly environment: string;
      /** Infisical's cloud unless told. */
      readonly url?: string;
    };

interface BackupSettings {
  /** A folder, relative to the spec, or s3://BUCKET/PREFIX; absent: NAME.backups. */
  readonly to?: string;
  readonly keep?: number;
  readonly keepDays?: number;
  /** After that many hours a backup is missed. */
  readonly maxAgeHours: number;
}

interface MonitoringSettings {
  readonly prometheus: boolean;
  readonly grafana: boolean;
  /** Where alerts go: an address, or "secret" for one that the secret store keeps. */
  readonly webhook?: string;
}

export interface DiskEncryption {
  readonly key: "static" | "nodeID" | "tpm" | { readonly kms: string };
  /** Whether STATE is encrypted besides EPHEMERAL, which is /var. */
  readonly state: boolean;
}

export interface Site {
  readonly name: string;
  readonly host: string;
  /** A folder, relative to the spec. */
  readonly source: string;
  /** Without tag: every release is tagged with its commit. */
  readonly image: string;
}

export interface Network {
  /** For example 192.168.1.0/24. */
  readonly cidr: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly vip: string;
  /**
   * The image of the warden that lets the VIP leave a dead control plane within seconds; undefined: none runs, and Talos
   * takes up to a minute.
   */
  readonly vipWarden?: string;
  /** Name servers; the gateway unless told. */
  readonly dns: readonly string[];
  /** Time servers; none means that the nodes keep Talos' default. */
  readonly ntp: readonly string[];
  readonly vlan?: number;
}

export type Role = "controlplane" | "worker";

export interface CastleNode {
  /** Host name in Talos and Kubernetes, and the machine's name in Proxmox, for example fortress-cp-1. */
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  /** Upper case, Proxmox' own prefix: BC:24:11:xx:xx:xx. Derived from castle and node name. */
  readonly mac: string;
  readonly vmid: number;
  /** The Proxmox node that carries this machine. */
  readonly host: string;
  readonly cores: number;
  /** MiB */
  readonly memory: number;
  /** GiB */
  readonly disk: number;
  /** Talos machine config patches of this node alone: strategic merge documents. */
  readonly patches: readonly MachinePatch[];
}

export type MachinePatch = Readonly<Record<string, unknown>>;

export type Hypervisor = ProxmoxHypervisor | LabHypervisor;

export interface ProxmoxHypervisor {
  readonly kind: "proxmox";
  /** https://host:8006, without a path. */
  readonly endpoint: string;
  readonly hosts: readonly string[];
  readonly datastore: string;
  /** Where the Talos image is downloaded to; its content types must hold `import`. */
  readonly imageDatastore: string;
  readonly bridge: string;
  readonly insecure: boolean;
}

export interface LabHypervisor {
  readonly kind: "lab";
  /** The lab's name: namespaces, cgroups and state are named after it. The castle's name unless told. */
  readonly lab: string;
  readonly hosts: readonly string[];
  readonly datastore: string;
  readonly imageDatastore: string;
  readonly bridge: string;
}

export interface TalosSettings {
  /** With the leading v. */
  readonly version: string;
  /** A discovery service, "off", or undefined: the hypervisor's own (the lab's, Talos' public one). */
  readonly discovery?: string;
  readonly patches: readonly MachinePatch[];
  /** Official system extensions by name, for example siderolabs/qemu-guest-agent. */
  readonly extensions: readonly string[];
}
