/**
 * What the nodes stand on, as far as their configuration has to know it. The castle says what it shall be; the ground
 * says what is there: a lab's registry instead of the internet, a disk to install to on a rack.
 */
export type Ground = RackGround | LabGround;

interface AnyGround {
  /** Endpoints to pull from instead, by registry host, * for all: { "ghcr.io": ["http://192.168.1.1:5000"] }. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** The discovery service where the castle names none; undefined: Talos' public one. */
  readonly discovery?: string;
}

export interface RackGround extends AnyGround {
  readonly mode: "metal";
  readonly install: {
    /** Where Talos installs itself, for example /dev/sda for Proxmox' scsi0. */
    readonly disk: string;
    /** The installer image with the castle's extensions. */
    readonly image: string;
  };
}

export interface LabGround extends AnyGround {
  readonly mode: "container";
  /** Whether the LAN has a time server; if not, booting must not wait for one. */
  readonly timeServer: boolean;
  /**
   * The kubelet's thresholds in absolute sizes. Its own are shares of the disk, and all nodes of a lab share the disk
   * of one machine, where 15 % may be more than is free.
   */
  readonly evictionHard: Readonly<Record<string, string>>;
}

/** Whatever registry an image names, castle's own and the sites' among them. */
const EVERY_REGISTRY = "*";

/** A lab, where one registry stands in for all, and one discovery service of the lab's own. Both are http:// URLs. */
export function labGround({
  registry,
  discovery,
}: {
  readonly registry: string;
  readonly discovery: string;
}): LabGround {
  return {
    mode: "container",
    mirrors: { [EVERY_REGISTRY]: [registry] },
    discovery,
    timeServer: false,
    evictionHard: {
      "imagefs.available": "512Mi",
      "memory.available": "64Mi",
      "nodefs.available": "512Mi",
      "nodefs.inodesFree": "1%",
    },
  };
}

/** A rack of Proxmox hosts: scsi0 is /dev/sda, and the Image Factory's installer carries the schematic's extensions. */
export function rackGround({
  schematic,
  version,
}: {
  readonly schematic: string;
  readonly version: string;
}): RackGround {
  return {
    mode: "metal",
    mirrors: {},
    install: { disk: "/dev/sda", image: `factory.talos.dev/nocloud-installer/${schematic}:${version}` },
  };
}
