import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { machineNames } from "../../src/lab/machine/names.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { nodesOf } from "../e2e/cluster.ts";
import { canRunLab } from "../fixtures/parts.ts";

const NAME = "t-ward-long";
const HOST = `blog.${NAME}.lan`;

const diagnosesShape = z.object({
  diagnoses: z.array(z.object({ disease: z.string(), object: z.string() })),
});

interface Drill {
  readonly infect: () => Promise<unknown>;
  /** Disease and object; others may suffer from it beside. */
  readonly expected: string;
  readonly heal: () => Promise<unknown>;
}

/** True or not by what else this machine does meanwhile: it is asked for only where it was made. */
const isSlowDisk = (name: string) => name.startsWith("etcd-slow-disk: ");

/** What cannot be sick beside others: each upsets the castle as a whole, so each is healed before the next. */
describe.skipIf(!canRunLab)("diseases that a castle has one at a time", () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec("gitops: {}\n");
    await castle.run("up", "--install-tools");
  });

  afterAll(async () => {
    await castle.remove();
  });

  async function found(): Promise<readonly string[]> {
    const { stdout, stderr } = await castle.try("doctor", "-o", "json");
    if (stdout === "") throw new Error(stderr);
    const { diagnoses } = diagnosesShape.parse(JSON.parse(stdout));
    return diagnoses.map(({ disease, object }) => `${disease}: ${object}`);
  }

  const isWell = () => until((names) => names.every(isSlowDisk));

  async function until(look: (names: readonly string[]) => boolean): Promise<readonly string[]> {
    let last: readonly string[] = [];
    return poll(
      async () => {
        last = await found();
        return look(last) ? last : undefined;
      },
      {
        every: 1_000,
        within: 300_000,
        onTimeout: () => new Error(`the doctor's last words: ${last.join("; ")}`),
      },
    );
  }

  async function namesOf(node: string) {
    const known = (await nodesOf(castle)).find(({ name }) => name === `${NAME}-${node}`);
    if (known === undefined) throw new Error(`${NAME} has no ${node}`);
    return machineNames({ lab: castle.labs.lab, state: castle.labs.state }, known.vmid);
  }

  async function control() {
    return (await castle.lab()).control;
  }

  /** What runs in a machine, seen from this host. */
  async function etcdPids(node: string): Promise<readonly string[]> {
    const { cgroup } = await namesOf(node);
    const { stdout } = await run("find", [`/sys/fs/cgroup/cpu${cgroup}`, "-name", "cgroup.procs"]);
    const files = await Promise.all(stdout.split("\n").map((file) => readFile(file, "utf8").catch(() => "")));
    const pids = files.flatMap((text) => text.split("\n")).filter((pid) => pid !== "");
    const named = await Promise.all(
      pids.map(async (pid) => ({ pid, comm: await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "") })),
    );
    return named.flatMap(({ pid, comm }) => (comm.trim() === "etcd" ? [pid] : []));
  }

  /** By etcd's own API, with the certificate of the node: there is no gentler way to an alarm than a full database. */
  async function alarm(action: "ACTIVATE" | "DEACTIVATE"): Promise<void> {
    const node = (await nodesOf(castle)).find(({ name }) => name === `${NAME}-cp-1`);
    if (node === undefined) throw new Error(`${NAME} has no cp-1`);
    const folder = "/system/secrets/etcd";
    const files = await Promise.all(
      ["ca.crt", "admin.crt", "admin.key"].map(async (name) => {
        const file = join(castle.folder, name);
        await writeFile(file, await castle.talosctl("-n", node.address, "read", `${folder}/${name}`), {
          mode: 0o600,
        });
        return file;
      }),
    );
    const [ca = "", certificate = "", key = ""] = files;
    const { namespace } = machineNames({ lab: castle.labs.lab, state: castle.labs.state }, node.vmid);
    const trust = ["--cacert", ca, "--cert", certificate, "--key", key];
    const post = async (path: string, body: object): Promise<unknown> => {
      const url = `https://127.0.0.1:2379/v3/${path}`;
      const words = ["netns", "exec", namespace, "curl", "-sS", ...trust, "-d", JSON.stringify(body), url];
      return JSON.parse((await run("ip", words)).stdout);
    };
    const status = z
      .object({ header: z.object({ member_id: z.string() }) })
      .parse(await post("maintenance/status", {}));
    await post("maintenance/alarm", { action, memberID: status.header.member_id, alarm: "NOSPACE" });
  }

  const dns = (...args: readonly string[]) => castle.kubectl("-n", "kube-system", ...args);

  const corefile = z.object({ data: z.object({ Corefile: z.string() }) });
  async function serves(domain: string): Promise<void> {
    const { data } = corefile.parse(JSON.parse(await dns("get", "configmap", "coredns", "-o", "json")));
    const Corefile = data.Corefile.replace(/(?<=kubernetes )\S+/, domain);
    await dns("patch", "configmap", "coredns", "--type=merge", "-p", JSON.stringify({ data: { Corefile } }));
  }

  const drills: readonly Drill[] = [
    {
      expected: "cluster-dns: Service kube-system/kube-dns",
      infect: () => dns("scale", "deployment", "coredns", "--replicas=0"),
      heal: () => dns("scale", "deployment", "coredns", "--replicas=2"),
    },
    {
      // Its pods are ready, and know nothing of the cluster; they read their file again within a minute.
      expected: "cluster-dns: Service kube-system/kube-dns",
      infect: () => serves("elsewhere.local"),
      heal: () => serves("cluster.local"),
    },
    {
      expected: `site-name: ${HOST}`,
      infect: async () => (await control()).call("hosts", { records: { [HOST]: "192.168.1.99" } }),
      heal: () => castle.run("up"),
    },
    {
      expected: `certificate-stuck: certificate of ${HOST}`,
      infect: async () => {
        await (await control()).call("hosts", { records: { [HOST]: "192.168.1.99" } });
        await castle.kubectl("-n", "site-blog", "delete", "secret", "web-tls");
        await castle.kubectl("-n", "certificates", "rollout", "restart", "deployment", "acme");
      },
      heal: () => castle.run("up"),
    },
    {
      expected: `etcd-alarm: ${NAME}-cp-1`,
      infect: () => alarm("ACTIVATE"),
      heal: () => alarm("DEACTIVATE"),
    },
    {
      expected: `address-conflict: ${NAME}-worker-2 192.168.1.215`,
      infect: () => onWire("worker-1", "add"),
      heal: () => onWire("worker-1", "delete"),
    },
    {
      expected: "load-balancer-silent: Service traefik/traefik",
      infect: async () => {
        await suspended(true);
        await speakers('{"spec":{"template":{"spec":{"nodeSelector":{"nowhere":"at-all"}}}}}');
      },
      heal: async () => {
        await speakers('[{"op":"remove","path":"/spec/template/spec/nodeSelector/nowhere"}]', "--type=json");
        await suspended(false);
      },
    },
    {
      // As kube-proxy itself once did it, in an image without /etc/protocols, an hour after its start.
      expected: "service-rules: Service traefik/traefik",
      infect: () => Promise.all(["worker-1", "worker-2"].map((node) => withoutRules(node))),
      heal: () =>
        castle.kubectl("-n", "kube-system", "delete", "pods", "-l", "k8s-app=kube-proxy", "--grace-period=1"),
    },
  ];

  async function withoutRules(node: string): Promise<void> {
    const { namespace } = await namesOf(node);
    const flush = ["flush", "map", "ip", "kube-proxy", "service-ips"];
    await run("ip", ["netns", "exec", namespace, "nft", ...flush]);
  }

  const suspended = (suspend: boolean) => {
    const patch = JSON.stringify({ spec: { suspend } });
    return castle.kubectl(
      "-n",
      "flux-system",
      "patch",
      "kustomization",
      "metallb",
      "--type=merge",
      "-p",
      patch,
    );
  };
  const speakers = (patch: string, type = "--type=strategic") =>
    castle.kubectl("-n", "metallb-system", "patch", "daemonset", "speaker", type, "-p", patch);

  async function onWire(node: string, verb: "add" | "delete"): Promise<void> {
    const { namespace } = await namesOf(node);
    await run("ip", ["-n", namespace, "address", verb, "192.168.1.215/32", "dev", "eth0"]);
  }

  it.each(drills)("$expected", async ({ expected, infect, heal }) => {
    await isWell();
    await infect();
    try {
      expect(await until((names) => names.includes(expected))).toContain(expected);
    } finally {
      await heal();
    }
    await isWell();
  });

  it("a leader that waits for its disk says so", async () => {
    const { etcd } = z
      .object({ etcd: z.object({ leader: z.string() }) })
      .parse(JSON.parse(await castle.run("status", "-o", "json")));
    const [pid = ""] = await etcdPids(etcd.leader.slice(NAME.length + 1));
    // Half a second is five heartbeats too late, and no election.
    for (let time = 0; time < 8; time += 1) {
      await run("sh", ["-c", `kill -STOP ${pid}; sleep 0.5; kill -CONT ${pid}; sleep 0.5`]);
    }
    const expected = `etcd-slow-disk: ${etcd.leader}`;
    expect(await until((names) => names.includes(expected))).toContain(expected);
  });
});
