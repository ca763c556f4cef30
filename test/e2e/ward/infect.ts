import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineNames } from "../../../src/lab/machine/names.ts";
import { platformImages } from "../../../src/platform/surroundings.ts";
import { run } from "../../../src/support/run.ts";
import type { CastleCommand } from "../castle-command.ts";
import { nodesOf } from "../cluster.ts";
import { type WardMaterial, wardYaml } from "./objects.ts";

/** Makes a castle sick in every way that lasts: objects, Flux, the wire. Nothing of it reaches the doctor but through the castle. */
export async function infect(castle: CastleCommand): Promise<void> {
  const [otherHost, ending] = await Promise.all([
    certificateFor("other.example", 90),
    certificateFor("ending.example", 0),
  ]);
  const file = join(castle.folder, "ward.yaml");
  const yaml = wardYaml({
    castle: castle.name,
    image: platformImages({}).traefik,
    excluded: `${castle.name}-worker-2`,
    otherHost,
    ending,
  });
  await writeFile(file, yaml, { mode: 0o600 });
  await castle.kubectl("apply", "--server-side", "--force-conflicts", "-f", file);
  await onWire(castle, "cp-1", ["address", "add", "192.168.1.238/32", "dev", "eth0"]);
  await onWire(castle, "cp-2", ["address", "add", "192.168.1.236/32", "dev", "eth0"]);
  const entry = ["192.168.1.230", "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "permanent"];
  await onWire(castle, "cp-3", ["neigh", "replace", ...entry]);
}

/** In the machine's own network, as somebody at its console would. */
async function onWire(castle: CastleCommand, node: string, command: readonly string[]): Promise<void> {
  const { lab, state } = castle.labs;
  const vmid = (await nodesOf(castle)).find(({ name }) => name === `${castle.name}-${node}`)?.vmid;
  if (vmid === undefined) throw new Error(`${castle.name} has no ${node}`);
  await run("ip", ["-n", machineNames({ lab, state }, vmid).namespace, ...command]);
}

async function certificateFor(host: string, days: number): Promise<WardMaterial["ending"]> {
  const folder = await mkdtemp(join(tmpdir(), "castle-ward-"));
  const at = (name: string) => join(folder, `${name}.pem`);
  const [key, request, certificate] = [at("key"), at("request"), at("certificate")];
  try {
    const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
    const identity = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
    await run("openssl", ["req", "-new", ...algorithm, "-keyout", key, "-out", request, ...identity]);
    // Only this of openssl's commands makes one of no days at all.
    const signed = ["-signkey", key, "-copy_extensions", "copy", "-days", String(days)];
    await run("openssl", ["x509", "-req", "-in", request, "-out", certificate, ...signed]);
    return { certificate: await base64(certificate), key: await base64(key) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function base64(path: string): Promise<string> {
  return (await readFile(path)).toString("base64");
}
