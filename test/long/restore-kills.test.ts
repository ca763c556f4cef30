import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CastleCommand } from "../e2e/castle-command.ts";
import { killAtStep } from "../e2e/killed-verb.ts";
import { canRunLab } from "../fixtures/parts.ts";

/** More than a restore has: the last kill finds nothing to kill, and says so. */
const MOST = 40;

describe.skipIf(!canRunLab)("castle restore, killed at every step", () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-restore");
    await castle.spec(
      [
        "nodes: { controlPlanes: { count: 3 }, workers: { count: 0 } }",
        "talos: { patches: [{ cluster: { allowSchedulingOnControlPlanes: true } }] }",
        "",
      ].join("\n"),
    );
    await castle.run("up");
    await castle.kubectl("create", "configmap", "before", "--from-literal=a=b");
    await castle.run("backup");
  });
  afterAll(() => castle.remove());

  it("converges after each when it is run again", async () => {
    const told = new Set<string>();
    for (let nth = 1; nth <= MOST; nth += 1) {
      await castle.kubectl("create", "configmap", `after-${nth}`, "--from-literal=a=b");
      const { killed, steps } = await killAtStep(castle, nth, "restore", "newest", "--yes");
      for (const step of steps) told.add(step);
      if (killed) await castle.run("restore", "newest", "--yes");
      const maps = await castle.kubectl("get", "configmaps", "-o", "name");
      expect(maps, `killed in ${steps.at(-1)}`).toContain("configmap/before");
      expect(maps, `killed in ${steps.at(-1)}`).not.toContain(`after-${nth}`);
      if (!killed) break;
    }
    expect([...told]).toEqual(
      expect.arrayContaining(["etcd bootstrap", "Every node at work again", "castle health"]),
    );
  }, 5_400_000);
});
