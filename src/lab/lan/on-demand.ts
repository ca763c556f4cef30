import { join } from "node:path";
import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { Report } from "../../journal/step.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { LabAcme, LabGit } from "../descriptor.ts";
import { type AcmeOptions, acmeProgram, acmeRoots, addRoots } from "./acme-server.ts";
import { dialLan } from "./dial.ts";
import type { Forwards } from "./forwards.ts";
import { gitProgram } from "./git-program.ts";
import { readNote } from "./note.ts";
import type { Processes } from "./processes.ts";

export interface OnDemandOptions {
  readonly host: string;
  readonly namespace: string;
  /** The agent's unix socket. */
  readonly socket: string;
  readonly state: string;
  readonly run: string;
  readonly agent: readonly [string, ...string[]];
  readonly processes: Processes;
  readonly forwards: Forwards;
  readonly report?: Report | undefined;
}

export interface WantedServices {
  readonly git?: boolean | undefined;
  readonly acme?: boolean | undefined;
  /** Path of the pebble binary; undefined: the one told before. */
  readonly pebble?: string | undefined;
  /** PEM of roots to know besides the ACME server's own. */
  readonly roots?: string | undefined;
}

export interface ServiceEndpoints {
  readonly git?: LabGit;
  readonly acme?: LabAcme;
}

const GIT_PORT = 3080;
const ACME_PORT = 14_000;
const ACME_MANAGEMENT_PORT = 15_000;

const noteShape = z.object({ git: z.boolean().default(false), acme: z.string().optional() });
type Note = z.infer<typeof noteShape>;

/** What the LAN serves only in labs that ask for it: Git and ACME. Asked for once, it comes back with every daemon. */
export class OnDemandServices {
  readonly #options: OnDemandOptions;
  #endpoints: ServiceEndpoints = {};
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: OnDemandOptions) {
    this.#options = options;
  }

  get endpoints(): ServiceEndpoints {
    return this.#endpoints;
  }

  /** Starts what an earlier daemon was asked for. A service that does not start is told, and costs no lab. */
  async resume(): Promise<void> {
    const note = await this.#read();
    for (const wanted of [{ git: note.git }, { acme: note.acme !== undefined }]) {
      await this.ensure(wanted).catch((error: unknown) => {
        this.#options.report?.({
          type: "warning",
          message: error instanceof Error ? error.message : String(error),
          hint: "castle up",
        });
      });
    }
  }

  /** @throws CastleError lan/service-failed, command/missing, command/failed */
  async ensure(wanted: WantedServices): Promise<ServiceEndpoints> {
    const turn = this.#queue.then(() => this.#start(wanted));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #start({ git = false, acme = false, pebble, roots }: WantedServices): Promise<ServiceEndpoints> {
    const note = await this.#read();
    if (git && this.#endpoints.git === undefined) {
      this.#endpoints = { ...this.#endpoints, git: await this.#startGit() };
      note.git = true;
      await this.#write(note);
    }
    if (acme && this.#endpoints.acme === undefined) {
      const program = pebble ?? note.acme;
      if (program === undefined) {
        throw new CastleError("lan/service-failed", {
          message: "the lab's ACME server cannot start: nobody said where its program is",
          hint: "castle parts",
        });
      }
      this.#endpoints = { ...this.#endpoints, acme: await this.#startAcme(program) };
      note.acme = program;
      await this.#write(note);
    }
    const { acme: server } = this.#endpoints;
    if (roots !== undefined && server !== undefined) {
      const known = await addRoots(this.#acmeFolder, server.roots, roots);
      this.#endpoints = { ...this.#endpoints, acme: { ...server, roots: known } };
    }
    return this.#endpoints;
  }

  async #startGit(): Promise<LabGit> {
    const { host, namespace, state, agent, processes, forwards } = this.#options;
    const folder = join(state, "git");
    const { logins, ...program } = await gitProgram({ agent, host, port: GIT_PORT, folder, namespace });
    const supervised = await processes.start(program);
    await supervised.ready(() => this.#accepts(GIT_PORT));
    const { port } = await forwards.forward("git", [{ address: host, port: GIT_PORT }]);
    return {
      inside: `http://${host}:${GIT_PORT}`,
      outside: `http://127.0.0.1:${port}`,
      ...logins.castle,
      author: logins.author,
    };
  }

  async #startAcme(program: string): Promise<LabAcme> {
    const { host, namespace, state, run, processes } = this.#options;
    const options: AcmeOptions = {
      program,
      host,
      port: ACME_PORT,
      management: ACME_MANAGEMENT_PORT,
      dns: `${host}:53`,
      folder: this.#acmeFolder,
      run,
      namespace,
    };
    const { certificate, ...command } = await acmeProgram(options);
    const supervised = await processes.start(command);
    let roots = "";
    await supervised.ready(async () => {
      if (!(await this.#accepts(ACME_PORT))) return false;
      roots = await acmeRoots(options, certificate, () => this.#dial(ACME_MANAGEMENT_PORT)).catch(() => "");
      return roots !== "";
    });
    return {
      directory: `https://${host}:${ACME_PORT}/dir`,
      certificate,
      roots,
      log: join(state, "logs", "acme.log"),
    };
  }

  #dial(port: number) {
    return dialLan(this.#options.socket, this.#options.host, port, { timeout: 1_000 });
  }

  async #accepts(port: number): Promise<boolean> {
    try {
      (await this.#dial(port)).destroy();
      return true;
    } catch {
      return false;
    }
  }

  async #read(): Promise<Note> {
    // A broken note costs the services until they are asked for again, not the lab.
    return noteShape.catch({ git: false }).parse(await readNote(this.#file));
  }

  #write(note: Note): Promise<void> {
    return writeFileAtomic(this.#file, `${JSON.stringify(note, undefined, 2)}\n`);
  }

  get #acmeFolder(): string {
    return join(this.#options.state, "acme");
  }

  get #file(): string {
    return join(this.#options.state, "services.json");
  }
}
