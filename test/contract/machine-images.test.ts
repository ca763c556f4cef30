import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { census } from "../../src/lab/machine/census.ts";
import { ContainerMachines } from "../../src/lab/machine/container-machines.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab, part } from "../fixtures/parts.ts";
import { machineConfig, type MachineLab, openMachineLab } from "./machine/lab.ts";

const NAME = "t-machine-images";
const SNAPSHOT = "io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs";
const PROGRAM = `/var/lib/containerd/${SNAPSHOT}/program`;
const LOOK = `read line < ${PROGRAM}; echo "$line"`;

// Machines share the unpacked files of their images: nothing that one writes may reach the others, or the next castle.
describe.skipIf(!canRunLab)("images that machines share", () => {
  let lab: MachineLab;
  let folder: string;
  let images: string;
  let machines: ContainerMachines;

  beforeAll(async () => {
    lab = await openMachineLab(NAME);
    folder = await mkdtemp(join(tmpdir(), `castle-${NAME}-`));
    images = join(folder, "images");
    await mkdir(join(images, SNAPSHOT), { recursive: true });
    await mkdir(join(images, SNAPSHOT, "../work"));
    await mkdir(join(images, "io.containerd.metadata.v1.bolt"));
    await writeFile(join(images, SNAPSHOT, "program"), "as unpacked");
    await writeFile(join(images, "io.containerd.metadata.v1.bolt/meta.db"), "names");
    await writeFile(join(images, SNAPSHOT, "../../../metadata.db"), "snapshots");
    const parts = { rootfs: lab.rootfs, runc: await part("runc"), images };
    machines = await ContainerMachines.open({ lab: NAME, state: lab.state }, parts);
  });
  afterAll(async () => {
    for (const vmid of [211, 212]) await machines.destroy(vmid);
    machines.close();
    await lab.close();
    await rm(folder, { recursive: true, force: true });
    const left = await census({ labs: { name: NAME }, states: lab.states });
    if (left.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
  });

  async function inside(vmid: number, script: string): Promise<{ exitCode: number; said: string }> {
    const pid = await machines.initPid(vmid);
    const { exitCode, stdout, stderr } = await run(
      "nsenter",
      [`--target=${pid}`, "--mount", "--", "/bin/sh", "-c", script],
      { accept: [1, 2, 32] },
    );
    return { exitCode, said: stdout + stderr };
  }

  test("no write of one, not even root's, reaches another or the copy itself", async () => {
    await machines.start(machineConfig(211));
    await machines.start(machineConfig(212));
    const write = await inside(211, `echo changed > ${PROGRAM}`);
    expect(write.exitCode).not.toBe(0);
    expect(write.said).toContain("Read-only file system");
    // Its records are its own.
    const meta = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db";
    expect((await inside(211, `echo mine > ${meta}`)).exitCode).toBe(0);
    expect((await inside(212, LOOK)).said).toBe("as unpacked");
    expect((await inside(212, `read line < ${meta}; echo "$line"`)).said).toBe("names");
    expect(await readFile(join(images, SNAPSHOT, "program"), "utf8")).toBe("as unpacked");
    expect(await readFile(join(images, "io.containerd.metadata.v1.bolt/meta.db"), "utf8")).toBe("names");
  });

  test("a machine finds them again after a power-off, and after its disk was wiped", async () => {
    await machines.powerOff(211);
    await machines.start(machineConfig(211));
    expect((await inside(211, LOOK)).said).toBe("as unpacked");
    await machines.powerOff(211);
    await machines.wipe(211);
    await machines.start(machineConfig(211));
    expect((await inside(211, LOOK)).said).toBe("as unpacked");
  });
});
