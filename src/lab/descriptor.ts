/**
 * What a running lab tells those who use it; written to the lab's state folder, mode 0600, because it holds the
 * API token. All addresses that start with 127.0.0.1 are on the machine's loopback, all others on the lab's LAN.
 */
export interface LabDescriptor {
  readonly name: string;
  readonly pid: number;
  readonly api: {
    /** https://127.0.0.1:PORT, the Proxmox VE API. */
    readonly endpoint: string;
    /** user@realm!id=secret */
    readonly token: string;
    /** PEM of the certificate that the endpoint shows. */
    readonly certificate: string;
  };
  readonly hosts: readonly string[];
  readonly network: { readonly cidr: string; readonly gateway: string };
  readonly lan: {
    /** Network namespace of the LAN, as `ip netns` names it. */
    readonly namespace: string;
    /** http://GATEWAY:5000, as nodes reach it. */
    readonly registry: string;
    /** http://GATEWAY:3000, as nodes reach it. */
    readonly discovery: string;
    readonly dns: string;
    /** Unix socket of the agent inside the LAN; see `lan/dial.ts` for its protocol. */
    readonly socket: string;
    /** Undefined until it is asked for. */
    readonly git?: LabGit | undefined;
    /** Undefined until it is asked for. */
    readonly acme?: LabAcme | undefined;
  };
}

/** Repositories are at INSIDE/NAME.git and OUTSIDE/NAME.git, and exist as soon as somebody asks for them. */
export interface LabGit {
  /** http://GATEWAY:3080, for what runs in the cluster. */
  readonly inside: string;
  /** http://127.0.0.1:PORT, for castle and people. */
  readonly outside: string;
  readonly username: string;
  readonly token: string;
  /** For repositories under sources/, which sites are written in: the login above does not open them. */
  readonly author: { readonly username: string; readonly token: string };
}

export interface LabAcme {
  /** https://GATEWAY:14000/dir */
  readonly directory: string;
  /** PEM of the certificate that the directory itself shows; not the one that issues. */
  readonly certificate: string;
  /**
   * PEM of the roots that issue, the newest first. The server makes a new one at each of its starts; certificates of the
   * earlier ones stay good.
   */
  readonly roots: string;
  /** Path of the server's log on this machine: one line "Added order" for each order. */
  readonly log: string;
}
