/** What the Proxmox API has been told of a machine; the only source of its identity. */
export interface MachineConfig {
  readonly vmid: number;
  readonly name: string;
  /** One card for each netN, in order. */
  readonly cards: readonly NetworkCard[];
  readonly cores: number;
  /** MiB */
  readonly memory: number;
  /** Talos version of the image that the boot disk was imported from, for example v1.11.5. */
  readonly image: string;
  readonly nameservers: readonly string[];
}

export interface NetworkCard {
  readonly mac: string;
  readonly bridge: string;
  /** address/prefix from ipconfigN; undefined: the card comes up with no address (DHCP is not offered). */
  readonly address?: string;
  readonly gateway?: string;
}

export type PowerState = "running" | "stopped";

/** Why a machine's init ended, as the hypervisor saw it. */
export type Exit =
  | { readonly kind: "powered-off" }
  | { readonly kind: "shut-down" }
  | { readonly kind: "reboot-requested" }
  /**
   * The disks are empty already. A node in container mode writes the request's `reboot` flag nowhere, so the lab's
   * machines always say false: whoever asked for a restart powers the machine on.
   */
  | { readonly kind: "reset"; readonly reboot: boolean }
  | { readonly kind: "crashed"; readonly detail: string };

/**
 * Machines of one lab. Every call is idempotent: asked twice it changes nothing the second time, and after a kill at
 * any moment the same call finishes the work.
 */
export interface MachineDriver {
  /** Makes the machine's disks, empty. */
  create(vmid: number): Promise<void>;
  start(config: MachineConfig): Promise<void>;
  /** Pulls the plug: the network card goes first, then the processes; disks stay. */
  powerOff(vmid: number): Promise<void>;
  /** Asks init to shut down, and pulls the plug after `timeout` milliseconds if `force`. */
  shutdown(vmid: number, timeout: number, force: boolean): Promise<void>;
  /** Takes the network cable out, or puts it back; processes go on. */
  setLink(vmid: number, up: boolean): Promise<void>;
  /** Removes disks and everything else. */
  destroy(vmid: number): Promise<void>;
  /** Empties the disks, as a reset of a real machine does. */
  wipe(vmid: number): Promise<void>;
  /** Before it says "stopped" of a machine that ended by itself, the listeners have been told. */
  state(vmid: number): Promise<PowerState>;
  /**
   * Called once for each machine that ends by itself, also for one that did so while nobody was there to see; not for
   * machines that are off because the host was restarted.
   */
  onExit(listener: (vmid: number, exit: Exit) => void): void;
}
