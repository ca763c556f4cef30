import { readdir, rm, stat } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startHypervisor } from "../../src/lab/hypervisor/hypervisor.ts";
import { Secret } from "../../src/support/secret.ts";
import { TestLab, record } from "./hypervisor/lab.ts";

let lab: TestLab;

beforeEach(async () => {
  lab = await TestLab.start();
});

afterEach(async () => {
  await lab.remove();
});

describe("who may call", () => {
  it.each([
    ["another secret", "castle@pve!lab=00000000-0000-0000-0000-000000000000"],
    ["another token id", "root@pam!lab=SECRET"],
    ["the secret with more behind it", "castle@pve!lab=SECRETx"],
    ["nothing", ""],
  ])("answers 401 to %s", async (_what, token) => {
    const given = token.replace("SECRET", lab.settings.token.secret.reveal());
    expect((await lab.call("GET", "version", undefined, given)).status).toBe(401);
    expect((await lab.call("POST", "nodes/pve1/qemu", { vmid: 100 }, given)).status).toBe(401);
  });

  it("answers 401 to a call without a token, and 200 with the right one", async () => {
    expect(await statusOf("/api2/json/version", {})).toBe(401);
    expect(await lab.call("GET", "version")).toMatchObject({ status: 200, data: { release: "9.0" } });
  });

  it("listens on the loopback only, with TLS 1.3 and its own certificate", async () => {
    expect(lab.hypervisor.endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(lab.hypervisor.certificate).toContain("BEGIN CERTIFICATE");
    await expect(statusOf("/api2/json/version", { maxVersion: "TLSv1.2" })).rejects.toThrow(
      /protocol|alert/i,
    );
  });

  it("names the port that another program has", async () => {
    const port = Number(new URL(lab.hypervisor.endpoint).port);
    const { settings, driver } = lab;
    const second = startHypervisor({ settings, driver, port, stateFolder: join(lab.folder, "second") });
    await expect(second).rejects.toMatchObject({
      code: "hypervisor/port-taken",
      message: expect.stringContaining(String(port)),
      hint: expect.stringContaining(String(port)),
    });
    await rm(join(lab.folder, "second"), { recursive: true });
  });

  it("keeps token and key out of the log and away from others", async () => {
    await lab.machine(100);
    expect(lab.log.join("\n")).not.toContain(lab.settings.token.secret.reveal());
    for (const name of await readdir(lab.folder)) {
      expect((await stat(join(lab.folder, name))).mode & 0o077).toBe(0);
    }
  });

  it("refuses what the token has no privilege for", async () => {
    await lab.remove();
    lab = await TestLab.start({ privileges: ["VM.Audit"] });
    const refused = await lab.call("POST", "nodes/pve1/qemu", { vmid: 100 });
    expect(refused).toMatchObject({ status: 403, reason: "Permission check failed (/, VM.Allocate)" });
    expect((await lab.call("GET", "access/permissions")).data).toMatchObject({ "/": { "VM.Audit": 1 } });
  });
});

describe("what it shows", () => {
  it("has the names that it is given", async () => {
    await lab.remove();
    lab = await TestLab.start({
      hosts: ["rack-a"],
      bridges: ["vmbr7"],
      storages: [{ name: "tank", type: "dir", content: ["images", "import"] }],
      token: { id: "me@pam!x", secret: new Secret("s3cret") },
    });
    expect((await lab.call("GET", "nodes")).data).toMatchObject([{ node: "rack-a", status: "online" }]);
    expect((await lab.call("GET", "nodes/rack-a/storage?content=import")).data).toMatchObject([
      { storage: "tank", content: "images,import", active: 1 },
    ]);
    expect((await lab.call("GET", "nodes/rack-a/storage?content=iso")).data).toEqual([]);
    expect((await lab.call("GET", "nodes/rack-a/network?type=bridge")).data).toMatchObject([
      { iface: "vmbr7" },
    ]);
    expect((await lab.call("GET", "nodes/pve1/status")).status).toBe(404);
  });

  it("keeps the contents of its hosts apart", async () => {
    await lab.machine(100, "pve2");
    const content = async (host: string) =>
      (await lab.call("GET", `nodes/${host}/storage/local/content`)).data;
    expect(await content("pve1")).toEqual([]);
    expect(await content("pve2")).toMatchObject([{ volid: "local:import/talos-v1.11.5-100.raw" }]);
    expect((await lab.call("GET", "nodes/pve1/qemu/100/config")).status).toBe(500);
    expect((await lab.call("GET", "cluster/resources?type=vm")).data).toMatchObject([
      { vmid: 100, node: "pve2", status: "stopped" },
    ]);
  });

  it("finds a volume by an encoded and by a plain path", async () => {
    await lab.machine(100);
    const plain = "nodes/pve1/storage/local/content/local:import/talos-v1.11.5-100.raw";
    const encoded = plain.replace("local:import/", "local%3Aimport%2F");
    expect((await lab.call("GET", plain)).data).toMatchObject({ format: "raw" });
    expect((await lab.call("GET", encoded)).data).toMatchObject({ format: "raw" });
  });

  it("tells the next free id, and which is taken", async () => {
    expect((await lab.call("GET", "cluster/nextid")).data).toBe("100");
    await lab.machine(100);
    expect((await lab.call("GET", "cluster/nextid")).data).toBe("101");
    expect(await lab.call("GET", "cluster/nextid?vmid=100")).toMatchObject({
      status: 400,
      errors: { vmid: "VM 100 already exists" },
    });
  });

  it("answers what it does not know with errors that end a client's wait", async () => {
    expect((await lab.call("GET", "nodes/pve1/tasks/UPID:x/status")).status).toBe(404);
    expect((await lab.call("GET", "nodes/pve1/ceph/status")).status).toBe(501);
    expect((await lab.call("GET", "nodes/pve1/qemu/100/config")).reason).toContain("does not exist");
    expect((await lab.call("GET", "%zz")).status).toBe(400);
  });
});

describe("images", () => {
  it.each([
    [
      "a version that it has not got",
      "https://x/v1.12.0/nocloud-amd64.raw",
      "talos.raw",
      "Talos v1.12.0 is not in",
    ],
    ["no version at all", "https://x/nocloud-amd64.raw", "talos.raw", "names no Talos version"],
  ])("refuses %s", async (_what, url, filename, reason) => {
    const reply = await download({ url, filename });
    expect(reply.status).toBe(400);
    expect(reply.errors["url"]).toContain(reason);
    const asked = await lab.call("GET", `nodes/pve1/query-url-metadata?url=${encodeURIComponent(url)}`);
    expect(asked.status).toBe(400);
  });

  it("refuses a name that is no disk image, and a storage without the content type", async () => {
    const url = "https://x/v1.11.5/nocloud-amd64.raw.gz";
    expect((await download({ url, filename: "talos.raw.gz" })).errors["filename"]).toContain("extension");
    const reply = await lab.call("POST", "nodes/pve1/storage/local-lvm/download-url", {
      content: "import",
      url,
      filename: "talos.raw",
    });
    expect(reply.errors["storage"]).toContain("does not support content type 'import'");
  });
});

describe("machines, by a client that speaks JSON", () => {
  it("makes, starts, stops and removes one", async () => {
    expect(await lab.machine(100)).toBe("OK");
    expect(await lab.task("POST", "nodes/pve1/qemu/100/status/start")).toBe("OK");
    expect(await lab.task("POST", "nodes/pve1/qemu/100/status/start")).toBe("OK");
    expect(lab.driver.machines.get(100)?.starts).toBe(1);
    expect(await lab.status(100)).toBe("running");
    expect((await lab.call("DELETE", "nodes/pve1/qemu/100")).reason).toContain("is running");
    expect(await lab.task("POST", "nodes/pve1/qemu/100/status/stop")).toBe("OK");
    expect(await lab.task("DELETE", "nodes/pve1/qemu/100/?purge=1")).toBe("OK");
    expect(lab.driver.machines.has(100)).toBe(false);
  });

  it("names every faulty parameter at once, and makes nothing", async () => {
    const reply = await lab.call("POST", "nodes/pve1/qemu", {
      vmid: 100,
      cores: "many",
      net0: "virtio,bridge=vmbr9",
      ipconfig0: "ip=192.168.1.300/24",
      scsi0: "nowhere:20",
      scsi1: "local-lvm:0,import-from=local:import/none.raw",
      colour: "red",
    });
    expect(reply).toMatchObject({ status: 400, reason: "Parameter verification failed." });
    expect(Object.keys(reply.errors).sort()).toEqual([
      "colour",
      "cores",
      "ipconfig0",
      "net0",
      "scsi0",
      "scsi1",
    ]);
    expect((await lab.call("GET", "nodes/pve1/qemu")).data).toEqual([]);
  });

  it("refuses an id that is taken, on any host", async () => {
    await lab.machine(100);
    const again = await lab.call("POST", "nodes/pve2/qemu", { vmid: 100 });
    expect(again).toMatchObject({ status: 400, reason: expect.stringContaining("already exists") });
  });

  it("does not start a machine without an image", async () => {
    await lab.task("POST", "nodes/pve1/qemu", { vmid: 100, scsi0: "local-lvm:8" });
    expect(await lab.task("POST", "nodes/pve1/qemu/100/status/start")).toContain(
      "no bootable disk with a Talos",
    );
  });

  it("boots from an ISO image", async () => {
    const url = "https://x/v1.11.5/metal-amd64.iso";
    const body = { content: "iso", filename: "talos.iso", url };
    await lab.task("POST", "nodes/pve1/storage/local/download-url", body);
    await lab.task("POST", "nodes/pve1/qemu", {
      vmid: 100,
      scsi0: "local-lvm:8",
      ide3: "file=local:iso/talos.iso,media=cdrom,",
      boot: "order=scsi0;ide3",
      start: true,
    });
    expect(lab.driver.machines.get(100)?.config?.image).toBe("v1.11.5");
  });

  it("pulls and plugs the network cable of a running machine", async () => {
    await lab.machine(100, "pve1", { start: 1 });
    const net0 = "virtio=BC:24:11:00:00:01,bridge=vmbr0";
    await lab.call("PUT", "nodes/pve1/qemu/100/config", { net0: `${net0},link_down=1` });
    expect(lab.driver.machines.get(100)?.linkUp).toBe(false);
    await lab.call("PUT", "nodes/pve1/qemu/100/config", { net0 });
    expect(lab.driver.machines.get(100)?.linkUp).toBe(true);
  });

  it("clones a template, with a disk, a MAC and an identity of its own", async () => {
    await lab.machine(100);
    await lab.task("POST", "nodes/pve1/qemu/100/template");
    expect(await lab.task("POST", "nodes/pve1/qemu/100/clone", { newid: 101, name: "copy", full: 1 })).toBe(
      "OK",
    );
    const config = async (id: number) => record((await lab.call("GET", `nodes/pve1/qemu/${id}/config`)).data);
    const [source, copy] = [await config(100), await config(101)];
    expect(copy).toMatchObject({ name: "copy", scsi0: expect.stringContaining("vm-101-disk-0"), cores: 2 });
    expect(copy).not.toHaveProperty("template");
    expect(copy["net0"]).not.toBe(source["net0"]);
    expect(copy["smbios1"]).not.toBe(source["smbios1"]);
    expect(await lab.task("POST", "nodes/pve1/qemu/101/status/start")).toBe("OK");
  });

  it("does not clone what may hold data, because it cannot copy it", async () => {
    await lab.machine(100, "pve1", { start: 1 });
    expect(await lab.call("POST", "nodes/pve1/qemu/100/clone", { newid: 101 })).toMatchObject({
      status: 400,
    });
  });

  it("grows a disk, moves it, and refuses to shrink it", async () => {
    await lab.machine(100);
    const scsi0 = async () => record((await lab.call("GET", "nodes/pve1/qemu/100/config")).data)["scsi0"];
    await lab.task("PUT", "nodes/pve1/qemu/100/resize", { disk: "scsi0", size: 20 * 1024 ** 3 });
    expect(await scsi0()).toBe("local-lvm:100/vm-100-disk-0.raw,size=20G");
    await lab.task("PUT", "nodes/pve1/qemu/100/resize", { disk: "scsi0", size: "+1G" });
    expect(await scsi0()).toContain("size=21G");
    expect((await lab.call("PUT", "nodes/pve1/qemu/100/resize", { disk: "scsi0", size: "1G" })).status).toBe(
      400,
    );
    await lab.task("POST", "nodes/pve1/qemu/100/move_disk", { disk: "scsi0", storage: "local" });
    expect(await scsi0()).toMatch(/^local:100\/vm-100-disk-\d\.raw,size=21G$/);
  });

  it("ends a shutdown that the guest does not hear with a failed task", async () => {
    await lab.machine(100, "pve1", { start: 1 });
    lab.driver.deaf.add(100);
    expect(await lab.task("POST", "nodes/pve1/qemu/100/status/shutdown", { timeout: 1 })).toContain(
      "got timeout",
    );
    expect(await lab.status(100)).toBe("running");
    const forced = { timeout: 1, forceStop: true };
    expect(await lab.task("POST", "nodes/pve1/qemu/100/status/shutdown", forced)).toBe("OK");
    expect(await lab.status(100)).toBe("stopped");
  });
});

/** A call without a token, by Node's own client. */
function statusOf(path: string, tls: { maxVersion?: "TLSv1.2" }): Promise<number | undefined> {
  const { hostname, port } = new URL(lab.hypervisor.endpoint);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, ca: lab.hypervisor.certificate, ...tls }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

function download(body: Readonly<Record<string, string>>) {
  return lab.call("POST", "nodes/pve1/storage/local/download-url", { content: "import", ...body });
}
