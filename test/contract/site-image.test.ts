import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobFile, readLayoutImage } from "../../src/image/layout-image.ts";
import { writeSiteImage } from "../../src/image/site-image.ts";
import { writeNginxBase } from "../../src/lab/parts/nginx-base.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";

/** As a pod would: another user, a read-only root, a writable /tmp, and a network of its own with loopback. */
const POD = `
set -e
ip link set lo up
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

const FINGERPRINTED = "app.0123456789abcdef0123.css";

describe.runIf(canRunLab)("a site's image", () => {
  let home: string;
  let pod: ChildProcess;
  const said = () => readFileSync(join(home, "output"), "utf8");

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "castle-site-image-"));
    const pages = join(home, "pages");
    await mkdir(join(pages, "posts"), { recursive: true });
    await writeFile(join(pages, "index.html"), "<h1>Placeholder</h1>\n");
    await writeFile(join(pages, "404.html"), "<h1>Not here</h1>\n");
    await writeFile(join(pages, "posts/index.html"), "<h1>Posts</h1>\n");
    await writeFile(join(pages, ".secret"), "hidden\n");
    await writeFile(join(pages, FINGERPRINTED), "body{}\n");
    const base = join(home, "base");
    await writeNginxBase({
      folder: base,
      configuration: new URL("../../parts/nginx", import.meta.url).pathname,
      downloads: join(home, "downloads"),
      architecture: "amd64",
    });
    const layout = join(home, "site");
    await writeSiteImage({ base, pages, release: "blog-0123abcd", folder: layout });
    const root = join(home, "root");
    for (const name of ["proc", "dev"]) await mkdir(join(root, name), { recursive: true });
    for (const { digest } of (await readLayoutImage(layout)).layers) {
      await run("tar", ["-x", "-p", "--same-owner", "-f", blobFile(layout, digest), "-C", root]);
    }
    const namespaces = ["--mount", "--net", "--pid", "--fork"];
    // A file: a socket, which a pipe of Node is, cannot be opened by its name.
    const output = await open(join(home, "output"), "a");
    pod = spawn("unshare", [...namespaces, "sh", "-c", POD, "sh", root], {
      stdio: ["ignore", output.fd, output.fd],
    });
    await output.close();
    const answer = await poll(
      () => {
        if (pod.exitCode !== null) throw new Error(`nginx ended with ${pod.exitCode}: ${said()}`);
        return get("/healthz").catch(() => undefined);
      },
      { every: 50, within: 20_000, onTimeout: () => new Error(`nginx does not answer: ${said()}`) },
    );
    if (answer.status !== 200) throw new Error(`/healthz answers ${answer.status}: ${said()}`);
  }, 120_000);

  afterAll(async () => {
    if (pod?.exitCode === null) {
      // Not unshare itself: nginx gave up root, and with it the wish to die with its parent.
      const children = await readFile(`/proc/${pod.pid}/task/${pod.pid}/children`, "utf8");
      for (const child of children.split(" ").filter((pid) => pid !== ""))
        process.kill(Number(child), "SIGKILL");
      await once(pod, "exit");
    }
    await rm(home, { recursive: true, force: true });
  });

  interface Page {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }

  /** Asks from inside the pod's network. */
  async function get(path: string, header?: string): Promise<Page> {
    const asked = ["-s", "-i", "--max-time", "5", "--path-as-is"];
    if (header !== undefined) asked.push("-H", header);
    const { stdout } = await run("nsenter", [
      `--net=/proc/${pod.pid}/ns/net`,
      "curl",
      ...asked,
      `http://127.0.0.1:8080${path}`,
    ]);
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

  it("serves pages that are asked for again and answered 304 while they are the same", async () => {
    const page = await get("/");
    expect(page).toMatchObject({ status: 200, body: "<h1>Placeholder</h1>" });
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      server: "nginx",
    });
    expect(page.headers).not.toHaveProperty("last-modified");
    expect((await get("/", `If-None-Match: ${page.headers["etag"]}`)).status).toBe(304);
    expect(said()).toContain('"GET / HTTP/1.1" 200');
  });

  it("answers which release it is", async () => {
    expect(await get("/healthz")).toMatchObject({ status: 200, body: "blog-0123abcd" });
    expect(said()).not.toContain("/healthz");
  });

  it("has the site's page for what is not there, and shows no dotfile", async () => {
    for (const path of ["/nothing", "/.secret"]) {
      const page = await get(path);
      expect([path, page.status, page.body]).toEqual([path, 404, "<h1>Not here</h1>"]);
      expect(page.headers["server"]).toBe("nginx");
    }
    expect((await get("/../../etc/nginx/nginx.conf")).status).toBe(400);
    expect((await get("/nothing")).headers["x-content-type-options"]).toBe("nosniff");
  });

  it("redirects without naming a host or port", async () => {
    const { status, headers } = await get("/posts");
    expect([status, headers["location"]]).toEqual([301, "/posts/"]);
    expect((await get("/posts/")).body).toBe("<h1>Posts</h1>");
  });

  it("lets browsers keep what carries its hash in its name", async () => {
    const { status, headers } = await get(`/${FINGERPRINTED}`);
    expect([status, headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });
});
