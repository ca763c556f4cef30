import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import { freePorts } from "../fixtures/api-server.ts";
import { canRunLab, part } from "../fixtures/parts.ts";

/** Addresses of the loopback that stand for the VIP and for the control plane's own. */
const VIP = "127.0.0.9";
const OWN = "127.0.0.1";
const ELECTION = `talos:v1:vip:election:${VIP}/`;

const keysShape = z.object({ kvs: z.array(z.object({ value: z.string() })).default([]) });
const lineShape = z.object({ msg: z.string(), holder: z.string().optional() });

/** The real program beside a real member of etcd; who answers at the addresses is the test's. */
describe.skipIf(!canRunLab)("the VIP's warden", () => {
  let folder: string;
  let etcd: { readonly kill: () => boolean } & PromiseLike<unknown>;
  let endpoint: string;
  let ports: { readonly vip: number; readonly own: number };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-warden-"));
    await makeCertificates(folder);
    const [client = 0, peer = 0, vip = 0, own = 0] = await freePorts(4);
    endpoint = `https://${OWN}:${client}`;
    ports = { vip, own };
    etcd = execa(
      await part("etcd"),
      [
        `--data-dir=${join(folder, "data")}`,
        `--listen-client-urls=${endpoint}`,
        `--advertise-client-urls=${endpoint}`,
        `--listen-peer-urls=http://${OWN}:${peer}`,
        `--initial-advertise-peer-urls=http://${OWN}:${peer}`,
        `--initial-cluster=default=http://${OWN}:${peer}`,
        "--client-cert-auth",
        `--trusted-ca-file=${join(folder, "etcd-client-ca.crt")}`,
        `--cert-file=${join(folder, "server.crt")}`,
        `--key-file=${join(folder, "server.key")}`,
        "--unsafe-no-fsync",
        "--log-level=error",
      ],
      { reject: false, stdio: "ignore" },
    );
    await poll(() => ask("endpoint", "health").catch(() => undefined), {
      every: 100,
      within: 60_000,
      onTimeout: () => new Error("etcd does not answer"),
    });
  });

  afterAll(async () => {
    etcd?.kill();
    await etcd;
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await ask("del", "--prefix", ELECTION);
  });

  async function ask(...args: readonly string[]): Promise<string> {
    const trust = [
      `--cacert=${join(folder, "etcd-client-ca.crt")}`,
      `--cert=${join(folder, "etcd-client.crt")}`,
      `--key=${join(folder, "etcd-client.key")}`,
    ];
    return (await run(await part("etcdctl"), [`--endpoints=${endpoint}`, ...trust, ...args])).stdout;
  }

  /** A candidate as Talos enters itself. @returns its lease */
  async function candidate(name: string): Promise<string> {
    // In words, because its number is larger than JSON's.
    const lease = /^lease ([0-9a-f]+) granted/.exec(await ask("lease", "grant", "60"))?.[1] ?? "";
    await ask("put", `--lease=${lease}`, `${ELECTION}${lease}`, name);
    return lease;
  }

  async function holder(): Promise<string | undefined> {
    const oldest = ["--prefix", "--order=ASCEND", "--sort-by=CREATE", "--limit=1", "-w", "json"];
    const { kvs } = keysShape.parse(JSON.parse(await ask("get", ELECTION, ...oldest)));
    return kvs[0] === undefined ? undefined : Buffer.from(kvs[0].value, "base64").toString();
  }

  const holderIs = (name: string) =>
    poll(async () => ((await holder()) === name ? true : undefined), {
      every: 50,
      within: 20_000,
      onTimeout: () => new Error(`${name} does not hold the VIP`),
    });

  /** Runs the warden for the time of the work, and tells all that it said. */
  async function watching(
    args: readonly string[],
    work: (said: () => readonly z.infer<typeof lineShape>[]) => Promise<void>,
  ): Promise<void> {
    const lines: z.infer<typeof lineShape>[] = [];
    const program = execa(
      await part("vip-warden"),
      [
        `--vip=${VIP}:${ports.vip}`,
        `--local=${OWN}:${ports.own}`,
        `--etcd=${endpoint}`,
        `--certificates=${folder}`,
        ...args,
      ],
      { reject: false },
    );
    program.stderr.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split("\n")) lines.push(lineShape.parse(JSON.parse(line)));
    });
    try {
      await work(() => lines);
    } finally {
      program.kill();
      await program;
    }
  }

  it("leaves a holder that answers where it is, and takes the VIP from one that does not", async () => {
    const vip = await listen(VIP, ports.vip);
    const own = await listen(OWN, ports.own);
    try {
      await candidate("cp-1");
      await candidate("cp-2");
      await watching([], async (said) => {
        await poll(() => Promise.resolve(vip.accepted() >= 10 ? true : undefined), {
          every: 50,
          within: 20_000,
          onTimeout: () => new Error("the VIP was not asked"),
        });
        expect(await holder()).toBe("cp-1");
        await vip.close();
        await holderIs("cp-2");
        expect(said()).toContainEqual({ msg: "took the VIP from its holder", holder: "cp-1" });
      });
    } finally {
      await vip.close();
      await own.close();
    }
  });

  it("takes it for nobody while its own API does not answer, and then at once", async () => {
    await candidate("cp-1");
    await candidate("cp-2");
    await watching([], async () => {
      // Three times as long as a silence has to last: that nothing happens can only be waited for.
      await delay(3_000);
      expect(await holder()).toBe("cp-1");
      const own = await listen(OWN, ports.own);
      try {
        await holderIs("cp-2");
      } finally {
        await own.close();
      }
    });
  });

  it("harms nobody who has won since the silence began", async () => {
    const own = await listen(OWN, ports.own);
    try {
      const first = await candidate("cp-1");
      await candidate("cp-2");
      await watching(["--patience=4s"], async (said) => {
        // Time for one look at who holds it; Talos' own end of the lease comes before the warden's.
        await delay(1_500);
        await ask("lease", "revoke", first);
        await poll(() => Promise.resolve(said().find(({ msg }) => msg === "took the VIP from its holder")), {
          every: 50,
          within: 20_000,
          onTimeout: () => new Error("the warden did nothing"),
        });
        expect(said().at(-1)).toMatchObject({ holder: "cp-1" });
        expect(await holder()).toBe("cp-2");
      });
    } finally {
      await own.close();
    }
  });
});

interface Listener {
  accepted(): number;
  close(): Promise<void>;
}

async function listen(host: string, port: number): Promise<Listener> {
  let accepted = 0;
  const server: Server = createServer((socket) => {
    accepted += 1;
    socket.on("error", () => undefined).destroy();
  }).listen(port, host);
  await once(server, "listening");
  return {
    accepted: () => accepted,
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

/** Under the names that Talos gives what the API server shows to etcd. */
async function makeCertificates(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const key = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2"];
  const authority = ["-keyout", at("ca.key"), "-out", at("etcd-client-ca.crt"), "-subj", "/CN=etcd"];
  await run("openssl", ["req", "-x509", ...key, ...authority]);
  for (const name of ["server", "etcd-client"]) {
    const signed = ["-CA", at("etcd-client-ca.crt"), "-CAkey", at("ca.key")];
    const about = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=IP:${OWN}`];
    const files = ["-keyout", at(`${name}.key`), "-out", at(`${name}.crt`)];
    await run("openssl", ["req", "-x509", ...key, ...signed, ...about, ...files]);
  }
}
