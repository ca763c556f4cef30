import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { census, type Leftover } from "../../src/lab/machine/census.ts";
import { identify } from "../../src/support/process-identity.ts";
import { sweep } from "../../src/lab/machine/sweep.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";

const NAME = "t-machine-census-1";
const NEIGHBOUR = "t-machine-census-2";
let states: string;

beforeEach(async () => {
  states = await mkdtemp(join(tmpdir(), "castle-census-"));
});
afterEach(async () => {
  for (const lab of [NAME, NEIGHBOUR]) await sweep({ lab, states, state: "remove" });
  await rm(states, { recursive: true });
});

/** What each kind of leftover looks like, made by hand. */
const plants = {
  namespace: async (lab: string) => {
    await run("ip", ["netns", "add", `castle-${lab}-211`]);
  },
  veth: async (lab: string) => {
    const lan = `castle-${lab}-lan`;
    await run("ip", ["netns", "add", lan]);
    await run("ip", ["-n", lan, "link", "add", "vm211n0", "type", "veth", "peer", "name", "loose"]);
  },
  mount: async (lab: string) => {
    const root = join(states, lab, "machines/211/root");
    await mkdir(root, { recursive: true });
    await run("mount", ["-t", "tmpfs", "tmpfs", root]);
  },
  cgroup: async (lab: string) => {
    await mkdir(await cgroupFolder(lab), { recursive: true });
  },
  process: async (lab: string) => {
    const boot = join(states, lab, "machines/211/boot");
    await sleeper(["perl", "-e", "sleep 300", boot]);
  },
  state: async (lab: string) => {
    await mkdir(join(states, lab, "machines/211/disk"), { recursive: true });
  },
} satisfies Record<Leftover["kind"], (lab: string) => Promise<void>>;

/** Any one hierarchy will do on a version 1 host; a version 2 host has its list of controllers at its root. */
async function cgroupFolder(lab: string): Promise<string> {
  const unified = (await readdir("/sys/fs/cgroup")).includes("cgroup.controllers");
  return `/sys/fs/cgroup/${unified ? "" : "pids/"}castle/${lab}/211/init`;
}

async function sleeper([file = "", ...args]: readonly string[]): Promise<number> {
  const child = spawn(file, args, { stdio: "ignore" });
  await once(child, "spawn");
  return child.pid ?? 0;
}

test.skipIf(!canRunLab).each(Object.entries(plants))(
  "a planted %s is found and swept",
  async (kind, plant) => {
    await plant(NAME);
    const found = await census({ labs: { name: NAME }, states });
    expect(found.map((left) => left.kind)).toContain(kind);
    await sweep({ lab: NAME, states, state: "remove" });
    expect(await census({ labs: { name: NAME }, states })).toEqual([]);
  },
);

test.skipIf(!canRunLab)(
  "a process that sits in the lab's cgroup or namespace is the lab's, whatever its name",
  async () => {
    await plants.cgroup(NAME);
    await plants.namespace(NAME);
    const grouped = await sleeper(["sleep", "300"]);
    const inside = await sleeper(["ip", "netns", "exec", `castle-${NAME}-211`, "sleep", "300"]);
    await writeFile(join(await cgroupFolder(NAME), "cgroup.procs"), String(grouped));
    const daemon = await sleeper(["tail", "-f", "/dev/null", "lab", "serve", NAME]);
    const pids = async () =>
      (await census({ labs: { name: NAME }, states })).flatMap((left) =>
        left.kind === "process" ? [left.pid] : [],
      );
    await expect.poll(pids).toEqual(expect.arrayContaining([grouped, inside, daemon]));
    await sweep({ lab: NAME, states, state: "remove" });
    expect(await Promise.all([grouped, inside, daemon].map((pid) => identify(pid)))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  },
);

test.skipIf(!canRunLab)("a lab without leftovers has none, and sweeping it is no error", async () => {
  expect(await census({ labs: { name: NAME }, states })).toEqual([]);
  expect(await sweep({ lab: NAME, states, state: "remove" })).toEqual([]);
});

test.skipIf(!canRunLab)("one lab's sweep leaves its neighbour alone; a prefix finds both", async () => {
  for (const plant of Object.values(plants)) {
    await plant(NAME);
    await plant(NEIGHBOUR);
  }
  const before = await census({ labs: { name: NEIGHBOUR }, states });
  const both = await census({ labs: { prefix: "t-machine-census" }, states });
  expect(new Set(both.map((left) => left.lab))).toEqual(new Set([NAME, NEIGHBOUR]));
  await sweep({ lab: NAME, states, state: "remove" });
  expect(await census({ labs: { name: NEIGHBOUR }, states })).toEqual(before);
});

test.skipIf(!canRunLab)("somebody who reads a console is not the lab's", async () => {
  await mkdir(join(states, NAME, "machines/211"), { recursive: true });
  await writeFile(join(states, NAME, "machines/211/console.log"), "");
  const reader = spawn("tail", ["-f", join(states, NAME, "machines/211/console.log")], { stdio: "ignore" });
  await once(reader, "spawn");
  try {
    const found = await census({ labs: { name: NAME }, states });
    expect(found.filter((left) => left.kind === "process")).toEqual([]);
  } finally {
    reader.kill("SIGKILL");
  }
});

test.skipIf(!canRunLab)("a sweep that keeps the state keeps disks and forgets the boot", async () => {
  const machine = join(states, NAME, "machines/211");
  await mkdir(join(machine, "disk/var"), { recursive: true });
  await mkdir(join(machine, "boot/upper"), { recursive: true });
  await writeFile(join(machine, "disk/var/etcd"), "data");
  await writeFile(join(machine, "powered-on"), "");
  await sweep({ lab: NAME, states, state: "keep" });
  expect(await readFile(join(machine, "disk/var/etcd"), "utf8")).toBe("data");
  expect(await census({ labs: { name: NAME }, states })).toEqual([
    { kind: "state", lab: NAME, path: join(states, NAME) },
  ]);
});
