import { describe, expect, it } from "vitest";
import { mountsOnDisk } from "./pods.ts";

const line = (point: string, source: string) =>
  `2043 2042 254:0 /castle${point} ${point} rw,relatime - ext4 ${source} rw`;

describe("what is mounted on a machine's disk", () => {
  it("is all below /var, the innermost first, and not the disk itself", () => {
    const info = [
      line("/", "castle-machine"),
      line("/var", "/dev/vda"),
      line("/var/lib/kubelet", "/dev/vda"),
      line("/var/lib/kubelet/pods/1/volumes/kubernetes.io~projected/token", "tmpfs"),
      line("/variety", "tmpfs"),
    ].join("\n");
    expect(mountsOnDisk(info)).toEqual([
      "/var/lib/kubelet/pods/1/volumes/kubernetes.io~projected/token",
      "/var/lib/kubelet",
    ]);
  });

  it("is named as it is called, blanks and all", () => {
    expect(mountsOnDisk(line("/var/a\\040blank\\134", "tmpfs"))).toEqual(["/var/a blank\\"]);
  });
});
