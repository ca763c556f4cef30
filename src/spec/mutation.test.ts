import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseSpec } from "./parse.ts";

/*
 * One mutation of a valid spec gives exactly one fault, at its line. The valid specs vary in hypervisor, network
 * and number of nodes; every line holds one key, so that a line says which value it is about.
 */

interface Variant {
  readonly kind: "lab" | "rack";
  readonly net: string;
  readonly controlPlanes: number;
  readonly workers: number;
}

const variant: fc.Arbitrary<Variant> = fc.record({
  kind: fc.constantFrom("lab", "rack"),
  net: fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 })).map(([b, c]) =>
    // 10.96 to 10.111 and 10.244 belong to services and pods.
    b === 244 || (b >= 96 && b <= 111) ? `192.168.${c}` : `10.${b}.${c}`,
  ),
  controlPlanes: fc.constantFrom(1, 3, 5),
  workers: fc.integer({ min: 1, max: 9 }),
});

function write({ kind, net, controlPlanes, workers }: Variant): string {
  const hypervisor =
    kind === "lab"
      ? ["  lab:", "    name: keep", "    hosts: [pve1, pve2, pve3]"]
      : ["  proxmox:", "    endpoint: https://pve.lan:8006", "    nodes: [pve1, pve2, pve3]"];
  return `${[
    "castle: fortress",
    "hypervisor:",
    ...hypervisor,
    "network:",
    `  cidr: ${net}.0/24`,
    `  gateway: ${net}.1`,
    `  vip: ${net}.10`,
    `  dns: [${net}.1]`,
    "nodes:",
    "  controlPlanes:",
    `    count: ${controlPlanes}`,
    `    from: ${net}.11`,
    "    memory: 4GiB",
    "    disk: 20GiB",
    "  workers:",
    `    addresses: [${Array.from({ length: workers }, (_, index) => `${net}.${21 + index}`).join(", ")}]`,
    "    cores: 4",
    "talos:",
    "  version: v1.11.5",
    "kubernetes:",
    "  version: v1.33.2",
    "loadBalancer:",
    `  pool: ${net}.100-${net}.120`,
    "sites:",
    "  - name: blog",
    "    host: blog.tazlab.net",
    "    source: ../blog-src",
    "    image: registry.lan/tazlab/blog",
  ].join("\n")}\n`;
}

/** Which line is changed, into what, and (where a line goes away) which line then carries the fault. */
interface Mutation {
  readonly find: RegExp;
  readonly replace: (found: RegExpExecArray, variant: Variant) => string;
  readonly at?: RegExp;
  readonly only?: Variant["kind"];
}

const set = (key: string, value: string | ((variant: Variant) => string)): Mutation => ({
  find: new RegExp(`^( *(?:- )?)${key}: .*$`, "m"),
  replace: ([, indent], variant) => `${indent}${key}: ${typeof value === "string" ? value : value(variant)}`,
});
const rename = (key: string, to: string): Mutation => ({
  find: new RegExp(`^( *(?:- )?)${key}:`, "m"),
  replace: ([, indent]) => `${indent}${to}:`,
});
const drop = (key: string, at: RegExp, only?: Variant["kind"]): Mutation => ({
  find: new RegExp(`^ *${key}: .*\n`, "m"),
  replace: () => "",
  at,
  ...(only === undefined ? {} : { only }),
});
const again = (key: string): Mutation => ({
  find: new RegExp(`^( *)${key}: .*$`, "m"),
  replace: ([line, indent]) => `${line}\n${indent}${key}: 192.168.77.5`,
  at: new RegExp(`^ *${key}: 192\\.168\\.77\\.5$`, "m"),
});
const talosVersion = (value: string): Mutation => ({
  find: /^talos:\n {2}version: .*$/m,
  replace: () => `talos:\n  version: ${value}`,
  at: new RegExp(`^ {2}version: ${value}$`, "m"),
});
const kubernetesVersion = (value: string): Mutation => ({
  find: /^kubernetes:\n {2}version: .*$/m,
  replace: () => `kubernetes:\n  version: ${value}`,
  at: new RegExp(`^ {2}version: ${value}$`, "m"),
});

const mutations: Readonly<Record<string, Mutation>> = {
  "name in upper case": set("castle", "Fortress"),
  "name empty": set("castle", ""),
  "name a number": set("castle", "7"),
  "name too long": set("castle", "f".repeat(53)),
  "name missing": drop("castle", /^hypervisor:/m),
  "castle misspelt": rename("castle", "castel"),
  "castle called cluster": rename("castle", "cluster"),
  "network misspelt": rename("network", "netwrok"),
  "nodes misspelt": rename("nodes", "node"),
  "hypervisor misspelt": rename("hypervisor", "hipervisor"),
  "control planes misspelt": rename("controlPlanes", "controlplanes"),
  "workers misspelt": rename("workers", "worker"),
  "count misspelt": rename("count", "conut"),
  "from misspelt": rename("from", "form"),
  "addresses misspelt": rename("addresses", "adresses"),
  "memory shortened": rename("memory", "mem"),
  "vip misspelt": rename("vip", "vpi"),
  "pool misspelt": rename("pool", "pol"),
  "site's host misspelt": rename("host", "hots"),
  "network of another place": set("cidr", "172.31.9.0/24"),
  "network too small": set("cidr", ({ net }) => `${net}.128/25`),
  "network with host bits": set("cidr", ({ net }) => `${net}.7/24`),
  "network without prefix": set("cidr", ({ net }) => `${net}.0`),
  "network of the pods": set("cidr", "10.244.3.0/24"),
  "network of the services": set("cidr", "10.100.0.0/16"),
  "loopback network": set("cidr", "127.0.0.0/8"),
  "network missing on a rack": drop("cidr", /^network:/m, "rack"),
  "vip missing on a rack": drop("vip", /^network:/m, "rack"),
  "gateway missing on a rack": drop("gateway", /^network:/m, "rack"),
  "endpoint missing": drop("endpoint", /^ {2}proxmox:/m, "rack"),
  "hosts missing on a rack": drop("nodes", /^ {2}proxmox:/m, "rack"),
  "count missing on a rack": drop("count", /^ {2}controlPlanes:/m, "rack"),
  "start missing on a rack": drop("from", /^ {2}controlPlanes:/m, "rack"),
  "endpoint unencrypted": { ...set("endpoint", "http://pve.lan:8006"), only: "rack" },
  "lab name with a space": { ...set("name", "my keep"), only: "lab" },
  "gateway outside": set("gateway", "172.31.9.1"),
  "gateway the network itself": set("gateway", ({ net }) => `${net}.0`),
  "gateway a control plane": set("gateway", ({ net }) => `${net}.11`),
  "gateway a worker": set("gateway", ({ net }) => `${net}.21`),
  "vip outside": set("vip", "172.31.9.10"),
  "vip the broadcast": set("vip", ({ net }) => `${net}.255`),
  "vip the gateway": set("vip", ({ net }) => `${net}.1`),
  "vip a control plane": set("vip", ({ net }) => `${net}.11`),
  "vip a worker": set("vip", ({ net }) => `${net}.21`),
  "vip no address": set("vip", "fortress.lan"),
  "vip written twice": again("vip"),
  "gateway written twice": again("gateway"),
  "dns no list": set("dns", "1.1.1.1"),
  "dns twice": set("dns", "[1.1.1.1, 1.1.1.1]"),
  "control planes even": set("count", "2"),
  "control planes even and into the workers": set("count", "14"),
  "no control planes": set("count", "0"),
  "half a control plane": set("count", "1.5"),
  "control planes as a word": set("count", "three"),
  "control planes outside": set("from", "172.31.9.11"),
  "worker twice": set("addresses", ({ net }) => `[${net}.40, ${net}.41, ${net}.40]`),
  "worker a control plane": set("addresses", ({ net }) => `[${net}.40, ${net}.11]`),
  "worker outside": set("addresses", ({ net }) => `[${net}.40, 172.31.9.41]`),
  "worker no address": set("addresses", ({ net }) => `[${net}.40, ${net}.400]`),
  "no workers in the list": set("addresses", "[]"),
  "memory in the wrong unit": set("memory", "4GB"),
  "memory without unit": set("memory", "4096"),
  "memory too small": set("memory", "64MiB"),
  "disk too small": set("disk", "2GiB"),
  "disk not whole": set("disk", "20481MiB"),
  "no cores": set("cores", "0"),
  "talos without v": talosVersion("1.11.5"),
  "talos unknown": talosVersion("v1.2.0"),
  "kubernetes too old": kubernetesVersion("v1.20.0"),
  "kubernetes too new": kubernetesVersion("v1.40.0"),
  "kubernetes a number": kubernetesVersion("1.33"),
  "pool reversed": set("pool", ({ net }) => `${net}.120-${net}.100`),
  "pool holds the vip": set("pool", ({ net }) => `${net}.9-${net}.10`),
  "pool holds nodes": set("pool", ({ net }) => `${net}.11-${net}.120`),
  "pool outside": set("pool", "172.31.9.100-172.31.9.120"),
  "pool one address": set("pool", ({ net }) => `${net}.100`),
  "image with a static tag": set("image", "registry.lan/tazlab/blog:latest"),
  "site without dots": set("host", "blog"),
  "tab in front": { find: /^ {2}vip:/m, replace: () => "\tvip:", at: /^\tvip:/m },
  "line too far to the right": { find: /^ {2}vip:/m, replace: () => "     vip:", at: /^ {5}vip:/m },
  "unknown tag": { find: /^ {2}vip: /m, replace: () => "  vip: !ip ", at: /^ {2}vip: !ip/m },
};

function lineOf(text: string, pattern: RegExp): number {
  const found = pattern.exec(text);
  if (found === null) throw new Error(`no line matches ${pattern}`);
  return text.slice(0, found.index).split("\n").length + (found[0].split("\n").length - 1);
}

test("the specs that are mutated are valid", () => {
  fc.assert(
    fc.property(variant, (variant) => {
      expect(parseSpec(write(variant), "castle.yaml")).toHaveProperty("castle");
    }),
  );
});

test.each(Object.entries(mutations))("one mutation, one fault, at its line: %s", (_, mutation) => {
  const fitting = variant.map((one): Variant => ({ ...one, kind: mutation.only ?? one.kind }));
  fc.assert(
    fc.property(fitting, (variant) => {
      const valid = write(variant);
      const found = mutation.find.exec(valid);
      if (found === null) throw new Error("the mutation finds nothing to change");
      const changed = mutation.replace(found, variant);
      const text = valid.slice(0, found.index) + changed + valid.slice(found.index + found[0].length);
      const line = mutation.at === undefined ? lineOf(valid, mutation.find) : lineOf(text, mutation.at);
      const parsed = parseSpec(text, "castle.yaml");
      const faults = "faults" in parsed ? parsed.faults : [];
      expect(faults.map((fault) => fault.line)).toEqual([line]);
    }),
    { numRuns: 25 },
  );
});
