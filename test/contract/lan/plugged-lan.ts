import { spawn } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { type Client, credentials } from "@grpc/grpc-js";
import { clusterClient } from "../../../src/lab/lan/discovery/service.ts";
import type { Lan } from "../../../src/lab/lan/lan.ts";
import { poll } from "../../../src/support/poll.ts";
import { run } from "../../../src/support/run.ts";
import { part } from "../../fixtures/parts.ts";

export const programs = {
  registry: await part("registry"),
  dns: await part("coredns"),
};

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}.ts`, import.meta.url));
export const node = (name: string): [string, ...string[]] => [
  process.execPath,
  "--import",
  fileURLToPath(import.meta.resolve("tsx")),
  fixture(name),
];

/** Polls up to 15 s. */
export const until = (what: string, condition: () => Promise<boolean>) =>
  poll(async () => ((await condition()) ? true : undefined), {
    every: 20,
    within: 15_000,
    onTimeout: () => new Error(`not within 15 s: ${what}`),
  });

/** A stand-in for a machine: a namespace of its own, plugged into the LAN, with a web server. */
export async function plugIn(lan: Lan, address: string, cable = "m0") {
  const name = `${lan.endpoints.namespace}-${cable}`;
  const commands = `link add ${cable} type veth peer name eth0 netns ${name}
link set ${cable} master vmbr0
link set ${cable} up
`;
  await run("ip", ["netns", "add", name]);
  await run("ip", ["-n", lan.endpoints.namespace, "-batch", "-"], { input: commands });
  await run("ip", ["-n", name, "-batch", "-"], {
    input: `link set lo up\nlink set eth0 up\naddress add ${address}/24 dev eth0\nroute add default via 192.168.1.1\n`,
  });
  const enter = [`--net=/run/netns/${name}`, "--"];
  const server = spawn("nsenter", [
    ...enter,
    process.execPath,
    "-e",
    'require("net").createServer((s)=>s.end("machine")).listen(80,()=>console.log("listens"))',
  ]);
  await new Promise((resolve) => server.stdout.once("data", resolve));
  return {
    run: (command: string) =>
      run("nsenter", [...enter, "sh", "-c", command], { accept: [1], timeout: 10_000 }),
    unplug: async () => {
      await run("ip", ["-n", lan.endpoints.namespace, "link", "delete", cable], { accept: [1] });
      server.kill("SIGKILL");
      await run("ip", ["netns", "delete", name], { accept: [1] });
    },
  };
}

/** Asks the LAN's name server from inside. */
export async function resolveName(lan: Lan, name: string): Promise<string> {
  const script = `const r = new (require("dns").promises.Resolver)({ timeout: 1000, tries: 2 });
r.setServers(["192.168.1.1"]);
r.resolve4(process.argv[1]).then((a) => console.log(a.join()), (e) => console.log(e.code));`;
  const inside = `--net=/run/netns/${lan.endpoints.namespace}`;
  return (await run("nsenter", [inside, "--", process.execPath, "-e", script, name])).stdout;
}

export async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.includes(folder)).map((line) => line.replaceAll("\0", " "));
}

async function addressesOfRoot(): Promise<string> {
  return (await run("ip", ["-brief", "address", "show"])).stdout;
}

/** The stand-in for a machine speaks no HTTP: all that it says is the answer. */
export function said(port: number): Promise<string> {
  return text(connect({ host: "127.0.0.1", port }));
}

/** Says hello to the discovery service and returns the address that it saw. */
export function hello(port: number): Promise<Buffer> {
  const Cluster = clusterClient();
  const client: Client = new Cluster(`127.0.0.1:${port}`, credentials.createInsecure());
  const method = Cluster.service["Hello"];
  if (method === undefined) throw new Error("no Hello");
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the .proto says so
      method.responseDeserialize as (bytes: Buffer) => { clientIp: Buffer },
      { clusterId: "c1" },
      (error, answer) => {
        client.close();
        if (error === null && answer !== undefined) resolve(answer.clientIp);
        else reject(error ?? new Error("no answer"));
      },
    );
  });
}

/** @throws Error if the root namespace shows anything of a LAN */
export async function assertRootIsClean(): Promise<void> {
  const addresses = await addressesOfRoot();
  if (/192\.168\.1\.1\/|vmbr/.test(addresses)) throw new Error(`the root namespace has ${addresses}`);
}

/** @throws Error if a namespace of these tests' labs, or a process that names the folder, is left */
export async function assertNothingLeft(folder: string): Promise<void> {
  const namespaces = (await readdir("/run/netns")).filter((name) => name.startsWith("castle-lan-test"));
  const processes = await processesOf(folder);
  if (namespaces.length + processes.length > 0) {
    throw new Error(`left behind: ${[...namespaces, ...processes].join(", ")}`);
  }
}
