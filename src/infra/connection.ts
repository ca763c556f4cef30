import type { Secret } from "../support/secret.ts";

/** How to reach a Proxmox VE API, be it a rack's or the lab's, and where on it the machines go. */
export interface ProxmoxConnection {
  /** https://host:8006, without a path. */
  readonly endpoint: string;
  /** user@realm!id=secret */
  readonly token: Secret;
  readonly trust: EndpointTrust;
  readonly hosts: readonly string[];
  readonly datastore: string;
  /** Where the Talos image is downloaded to; its content types must hold `import`. */
  readonly imageDatastore: string;
  readonly bridge: string;
}

/** Why the endpoint's certificate is believed. */
export type EndpointTrust =
  /** The operating system's certificate authorities vouch for it. */
  | { readonly kind: "system" }
  /** A PEM certificate: the endpoint's own or its authority's. Terraform's provider honours it on Linux only. */
  | { readonly kind: "certificate"; readonly pem: string }
  /** Not checked at all. */
  | { readonly kind: "insecure" };
