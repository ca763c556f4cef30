import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { Lan, type LanOptions, removeLan } from "../../src/lab/lan/lan.ts";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { run } from "../../src/support/run.ts";
import { writeLayout } from "../fixtures/oci-layout.ts";
import { canRunLab } from "../fixtures/parts.ts";
import {
  assertNothingLeft,
  assertRootIsClean,
  hello,
  node,
  plugIn,
  processesOf,
  programs,
  resolveName,
  said,
  until,
} from "./lan/plugged-lan.ts";

let folder: string;
const labs: LanOptions[] = [];
const lans: Lan[] = [];

function optionsOf(lab: string): LanOptions {
  const options: LanOptions = {
    lab,
    cidr: "192.168.1.0/24",
    gateway: "192.168.1.1",
    bridges: ["vmbr0", "vmbr1"],
    state: join(folder, lab, "state"),
    run: join(folder, lab, "run"),
    // The real one: what the kernel's settings were is known to all labs of the machine, or to none.
    shared: "/run/castle",
    programs,
    agent: node("lan-agent"),
  };
  labs.push(options);
  return options;
}

async function open(options: LanOptions): Promise<Lan> {
  const lan = await Lan.open(options);
  lans.push(lan);
  return lan;
}

describe.skipIf(!canRunLab)("the lab's LAN", () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-lan-"));
  });

  afterEach(async () => {
    await Promise.all(lans.splice(0).map((lan) => lan.close()));
    for (const place of labs.splice(0)) await removeLan(place);
    await assertNothingLeft(folder);
    await rm(folder, { recursive: true });
  });

  afterAll(assertRootIsClean);

  it("serves images, names and discovery, and nothing of it is in the root namespace", async () => {
    const lan = await open(optionsOf("lan-test"));
    expect(lan.endpoints).toMatchObject({
      namespace: "castle-lan-test-lan",
      registry: "http://192.168.1.1:5000",
      discovery: "http://192.168.1.1:3000",
      dns: "192.168.1.1",
    });
    await assertRootIsClean();

    const layout = join(folder, "layout");
    const image = await writeLayout(layout, { layers: ["layer one", "layer two"] });
    await lan.seed([{ repository: "siderolabs/kubelet", tag: "v1.34.4", layout }]);
    const registry = await lan.forwards.forward("registry", [{ address: "192.168.1.1", port: 5000 }]);
    const url = `http://127.0.0.1:${registry.port}/v2/siderolabs/kubelet`;
    for (const reference of ["v1.34.4", image.manifest]) {
      const manifest = await fetch(`${url}/manifests/${reference}`, { headers: ACCEPT });
      expect(manifest.status).toBe(200);
      expect(manifest.headers.get("docker-content-digest")).toBe(image.manifest);
    }
    const blobs = await Promise.all(image.blobs.map(async (digest) => fetch(`${url}/blobs/${digest}`)));
    expect(await blobs[1]?.text()).toBe("layer one");
    expect((await fetch(`${url}/manifests/v9`)).status).toBe(404);

    await lan.setHosts({ "cp1.castle": ["192.168.1.211"] });
    await until("the name is known", async () => (await resolveName(lan, "cp1.castle")) === "192.168.1.211");
    await lan.setHosts({ "blog.tazlab.net": ["192.168.1.230", "192.168.1.231"] });
    await until("the old name is gone", async () => (await resolveName(lan, "cp1.castle")) === "ENOTFOUND");
    expect((await resolveName(lan, "blog.tazlab.net")).split(",").toSorted()).toEqual([
      "192.168.1.230",
      "192.168.1.231",
    ]);
    expect(await resolveName(lan, "example.org")).toBe("ENOTFOUND");

    const discovery = await lan.forwards.forward("discovery", [{ address: "192.168.1.1", port: 3000 }]);
    expect(await hello(discovery.port)).toHaveLength(4);
  });

  it("reaches machines by dial, probe and forward, and notices that one is unplugged", async () => {
    const lan = await open(optionsOf("lan-test"));
    const machine = await plugIn(lan, "192.168.1.211");
    try {
      expect(await text(await lan.dial("192.168.1.211", 80))).toBe("machine");
      expect(await lan.probe("192.168.1.211")).toMatchObject({ present: true, mac: expect.any(String) });
      expect(await lan.probe("192.168.1.212")).toEqual({ present: false });
      expect(await lan.probe("192.168.1.1")).toMatchObject({ present: true });
      await expect(lan.dial("192.168.1.211", 81)).rejects.toMatchObject({
        details: { code: "ECONNREFUSED" },
      });
      await expect(lan.dial("192.168.1.212", 80)).rejects.toMatchObject({
        details: { code: "EHOSTUNREACH" },
      });
      const api = await lan.forwards.forward("api", [
        { address: "192.168.1.210", port: 80 },
        { address: "192.168.1.211", port: 80 },
      ]);
      expect(await said(api.port)).toBe("machine");
      // The way to the internet is closed, and the machine is told so.
      const outside = await machine.run(`${process.execPath} -e '${OUTSIDE}'`);
      expect(outside.stdout).toBe("ENETUNREACH");
    } finally {
      await machine.unplug();
    }
    expect(await lan.probe("192.168.1.211")).toEqual({ present: false });
  });

  it("hears everybody who answers for an address: two machines on one are two", async () => {
    const lan = await open(optionsOf("lan-test"));
    const [one, other] = [await plugIn(lan, "192.168.1.211"), await plugIn(lan, "192.168.1.211", "m1")];
    const lone = await plugIn(lan, "192.168.1.212", "m2");
    try {
      const found = await lan.holders(["192.168.1.211", "192.168.1.212", "192.168.1.213", "192.168.1.1"]);
      const macs = await Promise.all(
        [one, other, lone].map(async (machine) =>
          /link\/ether (\S+)/.exec((await machine.run("ip link show eth0")).stdout)?.[1]?.toUpperCase(),
        ),
      );
      expect(found.get("192.168.1.211")).toEqual(expect.arrayContaining(macs.slice(0, 2)));
      expect(found.get("192.168.1.211")).toHaveLength(2);
      expect(found.get("192.168.1.212")).toEqual(macs.slice(2));
      expect(found.get("192.168.1.213")).toEqual([]);
      expect(found.get("192.168.1.1")).toHaveLength(1);
    } finally {
      await Promise.all([one, other, lone].map((machine) => machine.unplug()));
    }
    expect((await lan.holders(["192.168.1.211"])).get("192.168.1.211")).toEqual([]);
  });

  it("lets two labs with the same addresses live side by side", async () => {
    const [one, two] = await Promise.all([open(optionsOf("lan-test")), open(optionsOf("lan-test-2"))]);
    const machine = await plugIn(one, "192.168.1.211");
    try {
      expect(await one.probe("192.168.1.211")).toMatchObject({ present: true });
      expect(await two.probe("192.168.1.211")).toEqual({ present: false });
    } finally {
      await machine.unplug();
    }
  });

  it("is finished when it was left half-made", async () => {
    const options = optionsOf("lan-test");
    const namespace = lanNamespace(options.lab);
    // Killed between making the file and mounting the namespace on it.
    await run("ip", ["netns", "add", namespace]);
    await run("umount", [`/run/netns/${namespace}`]);
    const first = await open(options);
    await first.close();
    await run("ip", ["-n", namespace, "-batch", "-"], {
      input:
        "address flush dev vmbr0\naddress add 10.9.9.9/24 dev vmbr0\nlink set vmbr0 down\nlink delete vmbr1\n",
    });
    const second = await open(options);
    const links: { ifname: string; flags: string[]; addr_info: { family: string; local: string }[] }[] =
      JSON.parse((await run("ip", ["-n", namespace, "-json", "address"])).stdout);

    const bridge = links.find(({ ifname }) => ifname === "vmbr0");
    expect(bridge?.addr_info.filter(({ family }) => family === "inet").map(({ local }) => local)).toEqual([
      "192.168.1.1",
    ]);
    expect(bridge?.flags).toContain("UP");
    expect(links.map(({ ifname }) => ifname)).toContain("vmbr1");
    expect(Object.values(second.services()).map(({ kind }) => kind)).toEqual([
      "running",
      "running",
      "running",
    ]);
  });

  it("leaves no process when its daemon is killed, and comes back with its machines and ports", async () => {
    const options = optionsOf("lan-test");
    const [command, ...args] = node("lan-daemon");
    const daemon = spawn(command, [...args, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => daemon.stdout.once("data", resolve));
    expect((await processesOf(options.run)).length).toBeGreaterThan(0);
    daemon.kill("SIGKILL");
    await until("the services ended with their daemon", async () => (await processesOf(folder)).length === 0);

    const before = await open(options);
    const machine = await plugIn(before, "192.168.1.211");
    try {
      const { port } = await before.forwards.forward("web", [{ address: "192.168.1.211", port: 80 }]);
      await before.close();
      await rm(options.run, { recursive: true });
      const after = await open(options);
      expect(after.forwards.list()).toMatchObject([{ name: "web", port }]);
      expect(await said(port)).toBe("machine");
    } finally {
      await machine.unplug();
    }
  });

  it("starts a service again that is killed", async () => {
    const lan = await open(optionsOf("lan-test"));
    const { registry } = lan.services();
    if (registry?.kind !== "running") throw new Error("the registry does not run");
    process.kill(registry.identity.pid, "SIGKILL");
    const answers = until("the registry answers again", async () => {
      const state = lan.services()["registry"];
      if (state?.kind !== "running" || state.identity.pid === registry.identity.pid) return false;
      return lan.dial("192.168.1.1", 5000).then(
        (connection) => {
          connection.destroy();
          return true;
        },
        () => false,
      );
    });
    await expect(answers).resolves.toBe(true);
  });

  it("says what a service said that does not start, and leaves nothing running", async () => {
    const broken = join(folder, "broken.sh");
    await writeFile(broken, "#!/bin/sh\necho the config is wrong\nexit 3\n", { mode: 0o755 });
    const options = { ...optionsOf("lan-test"), programs: { ...programs, dns: broken } };
    await expect(Lan.open(options)).rejects.toMatchObject({
      code: "lan/service-failed",
      message: expect.stringContaining("the config is wrong"),
    });
    expect(await processesOf(options.run)).toEqual([]);
  });

  it("is removed twice, or although it never was", async () => {
    const options = optionsOf("lan-test");
    await removeLan(options);
    await open(options);
    await removeLan(options);
    await expect(removeLan(options)).resolves.toBeUndefined();
  });
});

/** Without it Distribution hides OCI manifests from old clients. */
const ACCEPT = { accept: "application/vnd.oci.image.manifest.v1+json" };

const OUTSIDE =
  'require("net").connect(443,"203.0.113.1").on("error",(e)=>process.stdout.write(e.code)).setTimeout(5000,()=>process.exit(1))';
