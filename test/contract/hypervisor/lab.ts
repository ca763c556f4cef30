import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, fetch } from "undici";
import { type Hypervisor, startHypervisor } from "../../../src/lab/hypervisor/hypervisor.ts";
import type { HypervisorSettings } from "../../../src/lab/hypervisor/settings.ts";
import { Secret } from "../../../src/support/secret.ts";
import { MemoryMachines } from "./memory-machines.ts";
import type { ProxmoxConnection } from "../../../src/infra/connection.ts";

export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly data: unknown;
  readonly errors: Readonly<Record<string, string>>;
}

export type Body = Readonly<Record<string, string | number | boolean>>;

type OpenHypervisor = Omit<Hypervisor, "datacenter">;

/** A hypervisor over machines in memory, in a folder of its own, and a small client for it. */
export class TestLab {
  readonly driver = new MemoryMachines();
  readonly log: string[] = [];
  readonly settings: HypervisorSettings;
  readonly folder: string;
  #hypervisor: OpenHypervisor | undefined;
  #agent = new Agent();

  constructor(folder: string, settings: Partial<HypervisorSettings>) {
    this.folder = folder;
    this.settings = {
      hosts: ["pve1", "pve2", "pve3"],
      token: { id: "castle@pve!lab", secret: new Secret(randomUUID()) },
      storages: [
        { name: "local", type: "dir", content: ["iso", "import", "images"] },
        { name: "local-lvm", type: "lvmthin", content: ["images"] },
      ],
      bridges: ["vmbr0"],
      talosVersions: ["v1.11.5"],
      ...settings,
    };
  }

  /** As castle itself reaches it, once it is open. */
  get connection(): ProxmoxConnection {
    return {
      endpoint: this.hypervisor.endpoint,
      token: new Secret(this.token),
      trust: { kind: "certificate", pem: this.hypervisor.certificate },
      hosts: this.settings.hosts,
      datastore: "local-lvm",
      imageDatastore: "local",
      bridge: "vmbr0",
    };
  }

  static async start(settings: Partial<HypervisorSettings> = {}): Promise<TestLab> {
    const lab = new TestLab(await mkdtemp(join(tmpdir(), "castle-hypervisor-")), settings);
    await lab.open();
    return lab;
  }

  get hypervisor(): OpenHypervisor {
    if (this.#hypervisor === undefined) throw new Error("the hypervisor is not open");
    return this.#hypervisor;
  }

  /** user@realm!id=secret */
  get token(): string {
    return `${this.settings.token.id}=${this.settings.token.secret.reveal()}`;
  }

  async open(): Promise<void> {
    const { settings, driver } = this;
    const log = (line: string) => this.log.push(line);
    this.#hypervisor = await startHypervisor({ settings, stateFolder: this.folder, driver, port: 0, log });
    this.#agent = new Agent({ connect: { ca: this.#hypervisor.certificate } });
  }

  /** Speaks to a hypervisor that another process runs on the same folder. */
  attach({ endpoint, certificate }: Pick<Hypervisor, "endpoint" | "certificate">): void {
    this.#hypervisor = { endpoint, certificate, resume: async () => new Map(), close: async () => undefined };
    this.#agent = new Agent({ connect: { ca: certificate } });
  }

  async close(): Promise<void> {
    if (this.#hypervisor === undefined) return;
    await this.#agent.close();
    await this.#hypervisor.close();
    this.#hypervisor = undefined;
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** One call with a JSON body, as clients other than the Terraform provider make it. */
  async call(method: string, path: string, body?: Body, token = this.token): Promise<Reply> {
    const reply = await fetch(`${this.hypervisor.endpoint}/api2/json/${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        authorization: `PVEAPIToken=${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    const content: unknown = JSON.parse(text);
    return {
      status: reply.status,
      reason: reply.statusText,
      data: record(content)["data"],
      errors: texts(record(content)["errors"]),
    };
  }

  /** A call that begins a task, waited for. @returns the task's exit status. */
  async task(method: string, path: string, body?: Body): Promise<string> {
    const reply = await this.call(method, path, body);
    if (reply.status !== 200 || typeof reply.data !== "string") {
      throw new Error(`${method} ${path}: ${reply.status} ${reply.reason} ${JSON.stringify(reply.errors)}`);
    }
    const host = reply.data.split(":")[1] ?? "";
    for (let look = 0; look < 1000; look++) {
      const task = record(
        (await this.call("GET", `nodes/${host}/tasks/${encodeURIComponent(reply.data)}/status`)).data,
      );
      if (task["status"] === "stopped") return String(task["exitstatus"]);
    }
    throw new Error(`task ${reply.data} does not end`);
  }

  /** Downloads a Talos image of its own to the host and makes a machine of it. */
  async machine(vmid: number, host = "pve1", more: Body = {}): Promise<string> {
    await this.image(vmid, host);
    return this.task("POST", `nodes/${host}/qemu`, machineBody(vmid, more));
  }

  async image(vmid: number, host = "pve1"): Promise<string> {
    const url = "https://factory.talos.dev/image/0/v1.11.5/nocloud-amd64.raw.gz";
    const body = { content: "import", filename: imageName(vmid), url };
    return this.task("POST", `nodes/${host}/storage/local/download-url`, body);
  }

  async status(vmid: number, host = "pve1"): Promise<unknown> {
    return record((await this.call("GET", `nodes/${host}/qemu/${vmid}/status/current`)).data)["status"];
  }
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value));
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record(value)).map(([key, text]) => [key, String(text)]));
}

/** A JSON body that creates a machine from the image of `TestLab.image`. */
export function machineBody(vmid: number, more: Body = {}): Body {
  return {
    vmid,
    name: `machine-${vmid}`,
    cores: 2,
    memory: 2048,
    scsi0: `file=local-lvm:0,import-from=local:import/${imageName(vmid)}`,
    boot: "order=scsi0",
    net0: "model=virtio,bridge=vmbr0,macaddr=BC:24:11:00:00:01",
    ipconfig0: "ip=192.168.1.211/24,gw=192.168.1.1",
    ...more,
  };
}

function imageName(vmid: number): string {
  return `talos-v1.11.5-${vmid}.raw`;
}
