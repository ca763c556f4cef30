import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../../src/support/poll.ts";
import { run } from "../../../src/support/run.ts";
import { part } from "../../fixtures/parts.ts";

/** A real etcd of one member on the loopback, with a folder of its own. */
export class EtcdServer {
  readonly folder: string;
  readonly #etcdctl: string;
  readonly #endpoint: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, etcdctl: string, endpoint: string, process: ChildProcess) {
    this.folder = folder;
    this.#etcdctl = etcdctl;
    this.#endpoint = endpoint;
    this.#process = process;
  }

  static async start(port: number): Promise<EtcdServer> {
    const folder = await mkdtemp(join(tmpdir(), "castle-etcd-"));
    const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`];
    const process = spawn(
      await part("etcd"),
      [
        `--data-dir=${join(folder, "data")}`,
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=default=${peer}`,
        "--log-level=error",
      ],
      { stdio: "ignore" },
    );
    const server = new EtcdServer(folder, await part("etcdctl"), client, process);
    await poll(
      async () =>
        server.ctl("endpoint", "health").then(
          () => true,
          () => undefined,
        ),
      { every: 100, within: 60_000, onTimeout: () => new Error("etcd did not start") },
    );
    return server;
  }

  async ctl(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(this.#etcdctl, [`--endpoints=${this.#endpoint}`, ...args]);
    return stdout;
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }
}
