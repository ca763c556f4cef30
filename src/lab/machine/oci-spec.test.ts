import { describe, expect, test } from "vitest";
import type { MachineHost } from "./host.ts";
import type { MachineConfig } from "./machine.ts";
import { machineNames } from "./names.ts";
import { bootFiles, ociMounts, ociSpec } from "./oci-spec.ts";

const config: MachineConfig = {
  vmid: 101,
  name: "fortress-cp1",
  cards: [
    { mac: "bc:24:11:00:00:01", bridge: "vmbr0", address: "192.168.1.211/24", gateway: "192.168.1.1" },
    { mac: "bc:24:11:00:00:02", bridge: "vmbr1" },
  ],
  cores: 2,
  memory: 4096,
  image: "v1.11.5",
  nameservers: ["192.168.1.1", "192.168.1.2"],
};
const host: MachineHost = { capabilities: ["CAP_CHOWN"], openFiles: 20_000, cores: 8 };
const names = machineNames({ lab: "t-oci", state: "/var/lib/t-oci" }, 101);

describe("config.json of a machine", () => {
  const spec = ociSpec(config, names, host);

  test("joins the machine's own network namespace and cgroup", () => {
    expect(spec).toMatchObject({
      hostname: "fortress-cp1",
      linux: {
        cgroupsPath: "/castle/t-oci/101",
        namespaces: expect.arrayContaining([{ type: "network", path: "/run/netns/castle-t-oci-101" }]),
        rootfsPropagation: "shared",
      },
    });
  });

  test("keeps memory and cores as the hypervisor was told", () => {
    expect(spec).toMatchObject({
      linux: { resources: { memory: { limit: 4_294_967_296 }, cpu: { period: 100_000, quota: 200_000 } } },
    });
  });

  test("sets no quota when the machine may use every core of the host", () => {
    const wide = ociSpec({ ...config, cores: 8 }, names, host);
    expect(wide["linux"]).not.toHaveProperty("resources.cpu");
  });

  test("mounts every disk folder from the machine's disk", () => {
    expect(spec["mounts"]).toEqual(
      expect.arrayContaining([
        {
          destination: "/system/state",
          type: "bind",
          source: "/var/lib/t-oci/machines/101/disk/system/state",
          options: ["rbind", "rw"],
        },
      ]),
    );
  });

  test("is mounted in an order in which no mount hides one before it", () => {
    const order = ociMounts(names, []).map((mount) => mount.destination);
    for (const [index, destination] of order.entries()) {
      expect(order.slice(0, index).filter((earlier) => earlier.startsWith(`${destination}/`))).toEqual([]);
    }
  });

  test("gives the same bytes for the same machine", () => {
    expect(JSON.stringify(ociSpec(config, names, host))).toBe(JSON.stringify(spec));
  });
});

test("files under /etc hold what the Proxmox API was told", () => {
  expect(bootFiles(config)).toEqual({
    "resolv.conf": "nameserver 192.168.1.1\nnameserver 192.168.1.2\n",
    hosts: "127.0.0.1 localhost\n192.168.1.211 fortress-cp1\n",
    hostname: "fortress-cp1\n",
  });
});
