import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateIdentity } from "age-encryption";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { census } from "../../src/lab/machine/census.ts";
import { withLock } from "../../src/lifecycle/lock.ts";
import { run } from "../../src/support/run.ts";
import { killVerb } from "../fixtures/killed-verb.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";
import { statusIs } from "./cluster.ts";
import { Seed } from "./seed.ts";

const seed = new Seed(process.env["CASTLE_TEST_SEED"]);
/** Starts and ends of steps that a restore has at least. */
const MOMENTS = 22;

const backupShape = z.object({
  kind: z.literal("CastleBackup"),
  name: z.string(),
  place: z.string(),
  objects: z.int(),
  proof: z.object({ proved: z.boolean(), same: z.int(), kinds: z.int() }).optional(),
});
const restoredShape = z.object({
  kind: z.literal("CastleRestored"),
  healthy: z.boolean().optional(),
  loss: z.object({ kind: z.string(), made: z.array(z.string()).optional() }),
});
const listShape = z.object({
  kind: z.literal("CastleBackups"),
  backups: z.array(z.object({ name: z.string(), proved: z.string().optional() })),
});

describe.skipIf(!canRunLab)(`backup and restore (CASTLE_TEST_SEED=${seed.value})`, () => {
  let castle: CastleCommand;
  let backup: z.infer<typeof backupShape>;

  const restore = ["restore", "newest", "--yes"];

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-backup");
    await castle.spec(
      [
        "nodes: { controlPlanes: { count: 3 }, workers: { count: 0 } }",
        "talos: { patches: [{ cluster: { allowSchedulingOnControlPlanes: true } }] }",
        `backup: { to: ${join(castle.folder, "kept")}, keep: 5 }`,
        "",
      ].join("\n"),
    );
    await castle.run("up");
    await castle.kubectl("create", "configmap", "before", "--from-literal=a=b");
    await castle.kubectl("create", "secret", "generic", "hush", "--from-literal=word=psst");
  });
  afterAll(() => castle.remove());

  it("is taken, and proved beside the running castle, object by object", async () => {
    backup = await castle.ask(backupShape, "backup", "--prove");
    expect(backup.proof).toMatchObject({ proved: true, same: backup.objects });
    expect(backup.proof?.kinds).toBeGreaterThan(40);
    const { backups } = await castle.ask(listShape, "backups");
    expect(backups).toEqual([expect.objectContaining({ name: backup.name, proved: expect.any(String) })]);
    // The throwaway castle is gone, whole.
    const { states } = castle.labs;
    expect(await census({ labs: { name: "t-backup-proof" }, states })).toEqual([]);
    expect(await readdir(castle.home)).not.toContain("proof");
  });

  it("is looked at while somebody changes it, and changed by nobody else", async () => {
    await withLock(join(castle.home, "lock"), "rebuild", async () => {
      expect((await castle.try("plan")).exitCode).toBe(0);
      const refused = await castle.try("restore", "newest", "--yes");
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain(`castle rebuild is at work on this castle: process ${process.pid}`);
    });
  });

  it("shows nothing of what is in it, on the disk", async () => {
    const file = join(castle.folder, "kept", backup.name);
    const { stdout } = await run("grep", ["-c", "psst", file], { accept: [1] });
    expect(stdout.trim()).toBe("0");
  });

  it("is refused where it is damaged, another castle's, or not for this user; and nothing was touched", async () => {
    const kept = join(castle.folder, "kept", backup.name);
    const torn = join(castle.folder, "torn.age");
    await run("sh", ["-c", 'head -c 20000 "$0" > "$1"', kept, torn]);
    expect((await castle.try("restore", torn, "--yes")).stderr).toContain("backup/damaged");
    const spec = await readFile(join(castle.folder, "castle.yaml"), "utf8");
    await writeFile(
      join(castle.folder, "other.yaml"),
      spec.replace("castle: t-backup", "castle: t-backup-2"),
    );
    expect((await castle.try("restore", kept, "--yes", "-f", "other.yaml")).stderr).toContain(
      "backup/foreign",
    );
    const elsewhere = await castle.elsewhere();
    await mkdir(join(elsewhere.folder, "config", "castle"), { recursive: true });
    await writeFile(join(elsewhere.folder, "config", "castle", "identity"), await generateIdentity());
    expect((await elsewhere.try("restore", kept, "--yes")).stderr).toContain("backup/key");
    await rm(elsewhere.folder, { recursive: true });
    const status = await statusIs(castle, ({ healthy }) => healthy, "healthy");
    expect(status.etcd.voters).toHaveLength(3);
  });

  it("lets nobody raise the castle empty, once it is killed behind the wipe of a castle without quorum", async () => {
    await castle.kubectl("create", "configmap", "after", "--from-literal=a=b");
    const dry = await castle.ask(restoredShape, "restore", "newest", "--dry-run");
    expect(dry.loss.kind).toBe("counted");
    expect(dry.loss.made).toContain("configmaps/default/after");
    for (const node of ["t-backup-cp-1", "t-backup-cp-2"]) await castle.run("lab", "power", "cut", node);
    expect(await killVerb(castle, restore, "finished empty")).toMatchObject({ at: "finished empty" });
    const { exitCode, stdout } = await castle.try("up", "-o", "json");
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      1,
      { code: "lifecycle/unfinished", hint: `castle restore ${backup.name}` },
    ]);
  });

  it("brings the castle back: killed once more, and run again from an empty home", async () => {
    const { at, lines } = await killVerb(castle, restore, seed.next(MOMENTS));
    expect(at, `after ${lines.join(", ")}`).toBeDefined();
    // castle.yaml, the identity and the backup are all that this home has.
    const elsewhere = await castle.elsewhere();
    const identity = join("config", "castle", "identity");
    await mkdir(join(elsewhere.folder, "config", "castle"), { recursive: true });
    await copyFile(join(castle.folder, identity), join(elsewhere.folder, identity));
    const { healthy } = await elsewhere.ask(restoredShape, "restore", "newest", "--yes");
    await rm(elsewhere.folder, { recursive: true });
    expect(healthy).toBe(true);
    expect(await castle.kubectl("get", "configmaps", "-o", "name")).toContain("configmap/before");
    expect(await castle.kubectl("get", "configmaps", "-o", "name")).not.toContain("configmap/after");
    const word = await castle.kubectl("get", "secret", "hush", "-o", "jsonpath={.data.word}");
    expect(Buffer.from(word, "base64").toString()).toBe("psst");
  });
});
