import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Castle } from "./castle.ts";
import { parseSpec } from "./parse.ts";
import { renderTemplate } from "./template.ts";
import { warnings } from "./warnings.ts";

function castleOf(text: string): Castle {
  const parsed = parseSpec(text, "castle.yaml");
  if ("faults" in parsed) throw new Error(parsed.faults.map(({ message }) => message).join("; "));
  return parsed.castle;
}

const example = (name: string) =>
  castleOf(readFileSync(new URL(`../../examples/${name}/castle.yaml`, import.meta.url), "utf8"));

const SHORTEST = "castle: fortress\nhypervisor: lab\n";
const idsOf = ({ nodes }: Castle) =>
  nodes.map(({ name, address, mac, vmid, host }) => [name, address, mac, vmid, host]);

const wardenOf = (text: string) => castleOf(text).network.vipWarden;

const workers = (castle: unknown[][]) => castle.filter(([name]) => String(name).includes("worker"));

describe("resolve", () => {
  test("a name and the lab are a castle, and derived names, MACs, ids and hosts never change", () => {
    expect(idsOf(castleOf(SHORTEST))).toEqual([
      ["fortress-cp-1", "192.168.1.211", "BC:24:11:F6:BA:FA", 642000, "pve1"],
      ["fortress-cp-2", "192.168.1.212", "BC:24:11:F2:29:3F", 642001, "pve2"],
      ["fortress-cp-3", "192.168.1.213", "BC:24:11:EA:DF:57", 642002, "pve3"],
      ["fortress-worker-1", "192.168.1.214", "BC:24:11:C9:14:8B", 642100, "pve3"],
      ["fortress-worker-2", "192.168.1.215", "BC:24:11:3F:C7:4E", 642101, "pve2"],
    ]);
  });

  test("the lab's example is what the shortest file gives, but for the folder of its site", () => {
    const { sites = [], ...rest } = example("lab");
    const { sites: usual = [], ...shortest } = castleOf(`${SHORTEST}gitops: {}\n`);
    expect(rest).toEqual(shortest);
    expect(sites).toEqual(usual.map((site) => ({ ...site, source: "../blog-src" })));
  });

  test("gitops brings a pool, an ingress with certificates and a site along in a lab, and nothing does without it", () => {
    expect(castleOf(`${SHORTEST}network: { cidr: 10.1.2.0/24 }\ngitops: {}\n`)).toMatchObject({
      gitops: { branch: "main", path: "clusters/fortress" },
      loadBalancer: { pool: "10.1.2.230-10.1.2.239" },
      ingress: { tls: { acme: "letsencrypt", email: "castle@fortress.lan" } },
      sites: [{ name: "blog", host: "blog.fortress.lan", image: "registry.lan/fortress/blog" }],
    });
    expect(castleOf(SHORTEST)).toMatchObject({ sites: [] });
    for (const key of ["gitops", "loadBalancer", "ingress"])
      expect(castleOf(SHORTEST)).not.toHaveProperty(key);
    expect(castleOf(`${SHORTEST}gitops: {}\nsites: []\n`)).toMatchObject({ sites: [] });
  });

  test("the templates are valid, and the lab's says nothing but the defaults", () => {
    expect(castleOf(renderTemplate("fortress", "lab"))).toEqual(castleOf(SHORTEST));
    expect(castleOf(renderTemplate("keep", "proxmox")).hypervisor).toMatchObject({
      kind: "proxmox",
      hosts: ["pve"],
    });
  });

  test("everything behind a # in a template is valid as well", () => {
    for (const kind of ["lab", "proxmox"] as const) {
      const text = renderTemplate("fortress", kind)
        .split("\n")
        .filter((line) => !line.includes("# nodes: ["))
        .map((line) => line.replace(/^( *)# ( *)(?=- |[a-z][-\w]*:(?: |$))/i, "$1$2"))
        .join("\n");
      expect(castleOf(text)).toHaveProperty("gitops.path", "clusters/fortress");
    }
  });

  test("growing one group moves no machine of the other", () => {
    const before = idsOf(castleOf(SHORTEST));
    const grown = idsOf(castleOf(`${SHORTEST}nodes: { workers: { count: 7 } }\n`));
    expect(grown.slice(0, 5)).toEqual(before);
    const spread = `${SHORTEST}nodes: { controlPlanes: { count: 5, from: 192.168.1.20 } }\n`;
    expect(workers(idsOf(castleOf(spread)))).toEqual(workers(before));
  });

  test("two castles share no MAC, and usually no VM id", () => {
    const castles = Array.from({ length: 20 }, (_, index) =>
      castleOf(`castle: castle-${index}\nhypervisor: lab\n`),
    );
    const macs = castles.flatMap(({ nodes }) => nodes.map(({ mac }) => mac));
    expect(new Set(macs).size).toBe(macs.length);
    expect(new Set(castles.map(({ nodes }) => nodes[0]?.vmid)).size).toBeGreaterThan(15);
  });

  test("lab defaults follow the network", () => {
    const { network, nodes } = castleOf(`${SHORTEST}network: { cidr: 10.7.0.0/16 }\n`);
    expect(network).toEqual({
      cidr: "10.7.0.0/16",
      prefix: 16,
      gateway: "10.7.0.1",
      vip: "10.7.0.210",
      dns: ["10.7.0.1"],
      ntp: [],
      vipWarden: "castle.local/vip-warden:v1",
    });
    expect(nodes[3]?.address).toBe("10.7.0.214");
  });

  test("a VIP has a warden where it has somewhere to go and an image is known", () => {
    expect(wardenOf(`${SHORTEST}nodes: { controlPlanes: { count: 1 } }\n`)).toBeUndefined();
    expect(wardenOf(`${SHORTEST}network: { vipWarden: off }\n`)).toBeUndefined();
    expect(example("rack").network.vipWarden).toBeUndefined();
    const rack = readFileSync(new URL("../../examples/rack/castle.yaml", import.meta.url), "utf8");
    expect(wardenOf(`${rack}registry: registry.lan/tazlab\n`)).toBe("registry.lan/tazlab/vip-warden:v1");
    const own = "registry.lan:5000/castle/vip-warden:v1";
    expect(wardenOf(`${SHORTEST}network: { vipWarden: "${own}" }\n`)).toBe(own);
  });

  test("a rack's patches, ids and extensions arrive", () => {
    const castle = example("rack");
    expect(castle.nodes.map(({ host }) => host)).toEqual(["pve1", "pve2", "pve3", "pve3", "pve2"]);
    expect(castle.nodes[3]).toMatchObject({
      memory: 8192,
      disk: 50,
      patches: [{ machine: { nodeLabels: { disk: "fast" } } }],
    });
    expect(castle.talos.extensions).toEqual(["siderolabs/qemu-guest-agent"]);
    const rack = readFileSync(new URL("../../examples/rack/castle.yaml", import.meta.url), "utf8");
    const numbered = castleOf(rack.replace("bridge: vmbr0", "bridge: vmbr0\n    vmIds: { from: 5000 }"));
    expect(numbered.nodes.map(({ vmid }) => vmid)).toEqual([5000, 5001, 5002, 5100, 5101]);
  });
});

const idsFor = (text: string) => warnings(castleOf(text)).map(({ id }) => id);

describe("warnings", () => {
  test("none for the examples", () => {
    expect(warnings(example("lab"))).toEqual([]);
    expect(warnings(example("rack"))).toEqual([]);
  });

  test("the quorum on one host", () => {
    expect(idsFor("castle: fortress\nhypervisor: { lab: { hosts: [pve1] } }\n")).toEqual([
      "quorum-on-one-host",
    ]);
    const [warning] = warnings(castleOf("castle: fortress\nhypervisor: { lab: { hosts: [a, b] } }\n"));
    expect(warning?.message).toContain("fortress-cp-1, fortress-cp-3) are on a");
  });

  test("what will not work as it is written", () => {
    const nodes = "nodes: { controlPlanes: { count: 1 }, workers: { count: 0 } }\n";
    expect(
      idsFor(
        `${SHORTEST}${nodes}talos: { extensions: [a/b] }\nmonitoring: { grafana: true }\ningress: {}\ndisks: { encryption: { key: nodeID } }\n`,
      ),
    ).toEqual([
      "single-control-plane",
      "no-workers",
      "extensions-in-lab",
      "no-gitops",
      "ingress-without-pool",
      "monitoring-without-prometheus",
      "grafana-in-lab",
      "encryption-in-lab",
    ]);
  });
});
