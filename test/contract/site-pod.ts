import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { blobFile, readLayoutImage } from "../../src/image/layout-image.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";

/** As a pod would: another user, a read-only root, a writable /tmp, and a network of its own with loopback. */
const POD = `
set -e
ip link set lo up
# As containerd does for pods: low ports are no privilege in a network of one's own.
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount -t tmpfs tmpfs "$1/dev"
mknod -m 666 "$1/dev/null" c 1 3
ln -s /proc/self/fd/1 "$1/dev/stdout"
# As runc does: the container's user owns its output.
chown 101:101 /proc/self/fd/1
mount -o remount,bind,ro "$1"
exec chroot --userspec 101:101 "$1" /usr/sbin/nginx -e stderr -g "daemon off;"
`;

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A site's image that runs as it would in a cluster, without a container runtime. */
export class SitePod {
  readonly #home: string;
  readonly #process: ChildProcess;
  readonly #port: number;
  readonly #begun = performance.now();
  #served = Number.NaN;

  private constructor(home: string, process: ChildProcess, port: number) {
    this.#home = home;
    this.#port = port;
    this.#process = process;
  }

  /**
   * Unpacks the image and starts it; returns when /healthz answers 200.
   * @param mounted files that the pod mounts over the image: path → text
   * @param port that its nginx listens on
   */
  static async start(
    layout: string,
    mounted: Readonly<Record<string, string>> = {},
    port = 8080,
  ): Promise<SitePod> {
    const home = await mkdtemp(join(tmpdir(), "castle-site-pod-"));
    const root = join(home, "root");
    for (const name of ["proc", "dev"]) await mkdir(join(root, name), { recursive: true });
    for (const { digest } of (await readLayoutImage(layout)).layers) {
      await run("tar", ["-x", "-p", "--same-owner", "-f", blobFile(layout, digest), "-C", root]);
    }
    for (const [path, text] of Object.entries(mounted)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    // A file: a socket, which a pipe of Node is, cannot be opened by its name.
    const output = await open(join(home, "output"), "a");
    const namespaces = ["--mount", "--net", "--pid", "--fork"];
    const process = spawn("unshare", [...namespaces, "sh", "-c", POD, "sh", root], {
      stdio: ["ignore", output.fd, output.fd],
    });
    await output.close();
    const pod = new SitePod(home, process, port);
    try {
      await pod.#ready();
    } catch (error) {
      await pod.stop();
      throw error;
    }
    return pod;
  }

  /** What nginx wrote. */
  get said(): string {
    return readFileSync(join(this.#home, "output"), "utf8");
  }

  /** Milliseconds from the start of its first process to the first 200. */
  get servedAfter(): number {
    return this.#served;
  }

  /** Whoever's network namespace a link shall be put into. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Runs a program inside the pod's network. */
  async inside(file: string, ...args: string[]): Promise<string> {
    return (await run("nsenter", [`--net=/proc/${this.pid}/ns/net`, file, ...args])).stdout;
  }

  /** Asks from inside the pod's network. */
  async get(path: string, ...options: string[]): Promise<Page> {
    const asked = ["-s", "-i", "--max-time", "10", "--path-as-is", ...options];
    const stdout = await this.inside("curl", ...asked, `http://127.0.0.1:${this.#port}${path}`);
    const [head = "", ...rest] = stdout.split("\r\n\r\n");
    const [first = "", ...lines] = head.split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 2),
      ]),
    );
    return { status: Number(first.split(" ")[1]), headers, body: rest.join("\r\n\r\n") };
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const exit = once(this.#process, "exit");
      // Not unshare itself: nginx gave up root, and with it the wish to die with its parent.
      const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, "utf8").catch(() => "");
      for (const child of children.split(" ").filter((pid) => pid !== "")) {
        process.kill(Number(child), "SIGKILL");
      }
      await exit;
    }
    await rm(this.#home, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const answer = await poll(
      () => {
        if (this.#process.exitCode !== null) {
          throw new Error(`nginx ended with ${this.#process.exitCode}: ${this.said}`);
        }
        return this.get("/healthz").catch(() => undefined);
      },
      { every: 10, within: 60_000, onTimeout: () => new Error(`nginx does not answer: ${this.said}`) },
    );
    this.#served = performance.now() - this.#begun;
    if (answer.status !== 200) throw new Error(`/healthz answers ${answer.status}: ${this.said}`);
  }
}
