import { Agent, fetch, type Response } from "undici";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { poll } from "../support/poll.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { parseTags } from "./ownership.ts";
import {
  InterfacesAnswer,
  MachineConfigAnswer,
  MachinesAnswer,
  NodesAnswer,
  type Permissions,
  PermissionsAnswer,
  PoolsAnswer,
  type StorageAnswer,
  StoragesAnswer,
  TaskAnswer,
  VersionAnswer,
  VolumesAnswer,
} from "./proxmox-answers.ts";
import { connectionFailure, tokenRejected } from "./proxmox-failure.ts";

/** Milliseconds that one call may take. */
const DEADLINE = 15_000;
/** Milliseconds that a machine may take to be powered on. */
const START_PATIENCE = 60_000;

export interface Machine {
  readonly vmid: number;
  readonly host: string;
  readonly name: string;
  readonly tags: readonly string[];
}

interface PoolChange {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly form?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  readonly already: RegExp;
}

/** The few calls of the Proxmox API that preflight, ownership checks and power need; all else is Terraform's. */
export class ProxmoxClient {
  readonly #connection: ProxmoxConnection;
  readonly #agent: Agent;

  constructor(connection: ProxmoxConnection) {
    this.#connection = connection;
    const { trust } = connection;
    this.#agent = new Agent({
      // Proxmox closes an idle connection after 5 s: whoever asks again at that moment would get no answer.
      keepAliveMaxTimeout: 2_000,
      connect: {
        timeout: 5_000,
        ...(trust.kind === "insecure" ? { rejectUnauthorized: false } : {}),
        ...(trust.kind === "certificate" ? { ca: trust.pem } : {}),
      },
    });
  }

  /** @throws CastleError infra/endpoint-unreachable, infra/token-rejected, infra/certificate-untrusted (all calls) */
  async version(signal?: AbortSignal): Promise<string> {
    return (await this.#get("version", VersionAnswer, signal)).version;
  }

  async hosts(signal?: AbortSignal): Promise<readonly string[]> {
    return (await this.#get("nodes", NodesAnswer, signal)).map((node) => node.node);
  }

  /** Every virtual machine that the token may see, with the tags of the cluster's list where it has them. */
  async machines(signal?: AbortSignal): Promise<readonly Machine[]> {
    const rows = await this.#get("cluster/resources?type=vm", MachinesAnswer, signal);
    const machines = rows.filter((row) => row.type === undefined || row.type === "qemu");
    return await Promise.all(
      machines.map(async (row) => {
        const { vmid, node: host } = row;
        if (row.tags !== undefined) return { vmid, host, name: row.name ?? "", tags: parseTags(row.tags) };
        const machine = await this.machine(host, vmid, signal);
        return machine ?? { vmid, host, name: row.name ?? "", tags: [] };
      }),
    );
  }

  /** Which of the virtual machines are on, by VM id. */
  async powerStates(signal?: AbortSignal): Promise<ReadonlyMap<number, "running" | "stopped">> {
    const rows = await this.#get("cluster/resources?type=vm", MachinesAnswer, signal);
    return new Map(rows.map(({ vmid, status }) => [vmid, status === "running" ? "running" : "stopped"]));
  }

  /** The machine's own configuration, which is newer than the cluster's list; undefined: it does not exist. */
  async machine(host: string, vmid: number, signal?: AbortSignal): Promise<Machine | undefined> {
    const config = await this.#find(`nodes/${host}/qemu/${vmid}/config`, MachineConfigAnswer, signal);
    if (config === undefined) return undefined;
    return { vmid, host, name: config.name ?? "", tags: parseTags(config.tags) };
  }

  async storages(host: string, signal?: AbortSignal): Promise<readonly StorageAnswer[]> {
    return await this.#get(`nodes/${host}/storage`, StoragesAnswer, signal);
  }

  /** The ids of the importable images in a storage, for example `local:import/talos.raw`. */
  async images(host: string, storage: string, signal?: AbortSignal): Promise<readonly string[]> {
    const path = `nodes/${host}/storage/${encodeURIComponent(storage)}/content?content=import`;
    return (await this.#get(path, VolumesAnswer, signal)).map((volume) => volume.volid);
  }

  async bridges(host: string, signal?: AbortSignal): Promise<readonly string[]> {
    const path = `nodes/${host}/network?type=any_bridge`;
    return (await this.#get(path, InterfacesAnswer, signal)).map((entry) => entry.iface);
  }

  async permissions(signal?: AbortSignal): Promise<Permissions> {
    return await this.#get("access/permissions", PermissionsAnswer, signal);
  }

  /**
   * Powers a machine on; one that is on already is left alone.
   * @throws CastleError infra/api-failed with the task's own words
   */
  async start(host: string, vmid: number, signal?: AbortSignal): Promise<void> {
    const path = `nodes/${host}/qemu/${vmid}/status/start`;
    const response = await this.#send(path, signal, "POST");
    if (!response.ok) throw await this.#failure(path, response);
    const task = this.#parse(path, z.string(), await response.json());
    const { exitstatus } = await poll(
      async () => {
        const status = await this.#get(`nodes/${host}/tasks/${task}/status`, TaskAnswer, signal);
        return status.status === "stopped" ? status : undefined;
      },
      {
        every: 100,
        within: START_PATIENCE,
        signal,
        onTimeout: () =>
          new CastleError("infra/api-failed", {
            message: `VM ${vmid} on ${host} did not start within ${START_PATIENCE / 1000} s`,
          }),
      },
    );
    if (exitstatus === "OK" || /already running/.test(exitstatus ?? "")) return;
    throw new CastleError("infra/api-failed", {
      message: `VM ${vmid} on ${host} did not start: ${exitstatus ?? "no reason given"}`,
    });
  }

  /** Comments of all pools that the token may see, by their ids. */
  async pools(signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const pools = await this.#get("pools", PoolsAnswer, signal);
    return new Map(pools.map(({ poolid, comment }) => [poolid, comment]));
  }

  /**
   * Makes a pool, or says that there is one of that name: of two who ask at once, Proxmox lets one through.
   * @returns false: it exists
   */
  async makePool(id: string, comment: string, signal?: AbortSignal): Promise<boolean> {
    const form = { poolid: id, comment };
    return (
      (await this.#change("pools", { method: "POST", form, signal, already: /already exists/i })) === "done"
    );
  }

  /** @returns false: there is no such pool */
  async describePool(id: string, comment: string, signal?: AbortSignal): Promise<boolean> {
    const form = { poolid: id, comment };
    return (
      (await this.#change("pools", { method: "PUT", form, signal, already: /does not exist/i })) === "done"
    );
  }

  /** What is gone is as good as removed. */
  async removePool(id: string, signal?: AbortSignal): Promise<void> {
    const path = `pools?poolid=${encodeURIComponent(id)}`;
    await this.#change(path, { method: "DELETE", signal, already: /does not exist/i });
  }

  /** Lets the sockets go; a client that is not closed keeps the program alive for some seconds. */
  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #get<T>(path: string, answer: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    const response = await this.#send(path, signal);
    if (!response.ok) throw await this.#failure(path, response);
    return this.#parse(path, answer, await response.json());
  }

  async #find<T>(path: string, answer: z.ZodType<T>, signal?: AbortSignal): Promise<T | undefined> {
    const response = await this.#send(path, signal);
    if (response.ok) return this.#parse(path, answer, await response.json());
    const missing = response.status === 404 || /does not exist/i.test(response.statusText);
    const failure = await this.#failure(path, response);
    if (missing || /does not exist/i.test(failure.message)) return undefined;
    throw failure;
  }

  /** @returns `already`: it was refused in words that say that it has been done */
  async #change(path: string, { method, form, signal, already }: PoolChange): Promise<"done" | "already"> {
    const response = await this.#send(path, signal, method, form);
    if (response.ok) return "done";
    const failure = await this.#failure(path, response);
    if (already.test(`${response.statusText} ${failure.message}`)) return "already";
    throw failure;
  }

  async #send(
    path: string,
    signal?: AbortSignal,
    method = "GET",
    form?: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const deadline = AbortSignal.timeout(DEADLINE);
    try {
      return await fetch(`${this.#connection.endpoint}/api2/json/${path}`, {
        method,
        dispatcher: this.#agent,
        headers: { authorization: `PVEAPIToken=${this.#connection.token.reveal()}` },
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionFailure(this.#connection.endpoint, error);
    }
  }

  #parse<T>(path: string, answer: z.ZodType<T>, body: unknown): T {
    const parsed = z.object({ data: answer }).safeParse(body);
    if (parsed.success) return parsed.data.data;
    const message = `${this.#connection.endpoint} answered ${path} in a form that castle does not know`;
    throw new CastleError("infra/api-failed", { message, cause: parsed.error });
  }

  async #failure(path: string, response: Response): Promise<CastleError> {
    const { endpoint } = this.#connection;
    const text = (await response.text()).slice(0, 500);
    if (response.status === 401) return tokenRejected(endpoint);
    const details = { path, status: response.status };
    if (response.status === 403) {
      const message = `the API token may not read ${path} on ${endpoint}: ${response.statusText}`;
      const hint = "give the token the privilege that is named, see pveum acl modify";
      return new CastleError("infra/permission-denied", { message, hint, details });
    }
    const message =
      `${endpoint} answered ${path} with ${response.status} ${response.statusText} ${text}`.trimEnd();
    return new CastleError("infra/api-failed", { message, details });
  }
}
