import { describe, expect, test } from "vitest";
import type { MachineConfig } from "./machine.ts";
import { cableName } from "./names.ts";
import { cableLines, cardLines } from "./network.ts";

const config: MachineConfig = {
  vmid: 101,
  name: "cp1",
  cards: [
    { mac: "bc:24:11:00:00:01", bridge: "vmbr0", address: "192.168.1.211/24", gateway: "192.168.1.1" },
    { mac: "bc:24:11:00:00:02", bridge: "vmbr1" },
  ],
  cores: 2,
  memory: 4096,
  image: "v1.11.5",
  nameservers: [],
};

describe("a machine's network", () => {
  test("one cable for each card, to the bridge that netN names", () => {
    expect(cableLines(config, "castle-x-101")).toEqual([
      "link add vm101n0 type veth peer name eth0 address bc:24:11:00:00:01 netns castle-x-101",
      "link set vm101n0 master vmbr0 up",
      "link add vm101n1 type veth peer name eth1 address bc:24:11:00:00:02 netns castle-x-101",
      "link set vm101n1 master vmbr1 up",
    ]);
  });

  test("a card without ipconfig comes up with no address and no route", () => {
    expect(cardLines(config)).toEqual([
      "link set lo up",
      "link set eth0 up",
      "address add 192.168.1.211/24 dev eth0",
      "route add default via 192.168.1.1 dev eth0",
      "link set eth1 up",
    ]);
  });

  test("the longest VM id that Proxmox allows still fits an interface's name", () => {
    expect(cableName(999_999_999, 9).length).toBeLessThanOrEqual(15);
  });
});
