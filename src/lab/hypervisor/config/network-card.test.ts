import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCard, parseCard, parseCardAddress } from "./network-card.ts";

const free = () => "BC:24:11:FF:FF:FF";
const byte = fc.nat(255).map((number) => number.toString(16).padStart(2, "0").toUpperCase());
const mac = fc.array(byte, { minLength: 5, maxLength: 5 }).map((bytes) => ["BC", ...bytes].join(":"));
const card = fc.record({
  model: fc.constantFrom("virtio", "e1000", "vmxnet3"),
  mac,
  bridge: fc.stringMatching(/^vmbr\d{1,3}$/),
  linkDown: fc.boolean(),
  rest: fc
    .dictionary(fc.constantFrom("firewall", "mtu", "tag"), fc.nat(4094).map(String), {
      noNullPrototype: true,
    })
    .map((entries) => new Map(Object.entries(entries).sort(([a], [b]) => a.localeCompare(b)))),
});

describe("netN", () => {
  it("reads what it shows", () => {
    fc.assert(
      fc.property(card, (settings) => {
        expect(parseCard(formatCard(settings), free)).toEqual(settings);
      }),
    );
  });

  it("reads the form that clients send, and shows the form that Proxmox keeps", () => {
    const sent = parseCard("model=virtio,bridge=vmbr0,firewall=0,macaddr=bc:24:11:00:00:01", free);
    expect(formatCard(sent)).toBe("virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=0");
  });

  it("gives a card without an address a free one", () => {
    expect(parseCard("virtio,bridge=vmbr0", free).mac).toBe("BC:24:11:FF:FF:FF");
  });

  it.each([
    ["no bridge", "virtio=BC:24:11:00:00:01"],
    ["an unknown model", "model=token-ring,bridge=vmbr0"],
    ["a multicast address", "virtio=BD:24:11:00:00:01,bridge=vmbr0"],
    ["no address", "virtio=BC:24:11,bridge=vmbr0"],
    ["an unknown property", "virtio=BC:24:11:00:00:01,bridge=vmbr0,colour=red"],
  ])("refuses %s", (_what, text) => {
    expect(() => parseCard(text, free)).toThrow(RangeError);
  });
});

describe("ipconfigN", () => {
  it("reads address and gateway in any order", () => {
    const expected = { address: "192.168.1.211/24", gateway: "192.168.1.1" };
    expect(parseCardAddress("gw=192.168.1.1,ip=192.168.1.211/24")).toEqual(expected);
    expect(parseCardAddress("ip=192.168.1.211/24,gw=192.168.1.1")).toEqual(expected);
  });

  it.each(["ip=dhcp", "", "ip6=auto"])("gives no address for %j", (text) => {
    expect(parseCardAddress(text)).toEqual({});
  });

  it.each([
    "ip=192.168.1.211",
    "ip=192.168.1.300/24",
    "ip=192.168.1.1/33",
    "gw=192.168.1.1",
    "ip=dhcp,gw=fe80::1",
  ])("refuses %j", (text) => {
    expect(() => parseCardAddress(text)).toThrow(RangeError);
  });
});
