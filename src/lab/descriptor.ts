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
  };
}
