import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { raiseSysctls, restoreSysctls } from "./sysctls.ts";

let folder: string;
const sysctls = [{ key: "fs.inotify.max_user_instances", atLeast: 8192 }, { key: "vm.panic_on_oom" }];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-sysctls-"));
  await set("fs/inotify/max_user_instances", "128\n");
  await set("vm/panic_on_oom", "0\n");
  await set("kernel/random/boot_id", "boot-1\n");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const lab = (name: string) => ({
  state: join(folder, name),
  shared: join(folder, "shared"),
  root: join(folder, "proc"),
  sysctls,
});

async function set(path: string, value: string): Promise<void> {
  const file = join(folder, "proc", path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, value);
}

const get = async (path: string) => (await readFile(join(folder, "proc", path), "utf8")).trim();
const instances = () => get("fs/inotify/max_user_instances");

describe("sysctls", () => {
  it("are raised, and put back with what machines changed", async () => {
    await raiseSysctls(lab("a"));
    expect(await instances()).toBe("8192");
    await set("vm/panic_on_oom", "1");
    await restoreSysctls(lab("a"), async () => []);
    expect(await instances()).toBe("128");
    expect(await get("vm/panic_on_oom")).toBe("0");
  });

  it("stay when they are high enough", async () => {
    await set("fs/inotify/max_user_instances", "10000");
    await raiseSysctls(lab("a"));
    expect(await instances()).toBe("10000");
  });

  it("stay raised until the last lab goes", async () => {
    await raiseSysctls(lab("a"));
    await raiseSysctls(lab("b"));
    await restoreSysctls(lab("a"), async () => ["castle-b-lan"]);
    expect(await instances()).toBe("8192");
    await restoreSysctls(lab("b"), async () => []);
    expect(await instances()).toBe("128");
  });

  it("are raised for a lab that comes while the last one goes, and put back when it goes itself", async () => {
    await raiseSysctls(lab("a"));
    let coming: Promise<void> | undefined;
    await restoreSysctls(lab("a"), async () => {
      coming = raiseSysctls(lab("b"));
      await setTimeout(50);
      return [];
    });
    await coming;
    expect(await instances()).toBe("8192");
    await restoreSysctls(lab("b"), async () => []);
    expect(await instances()).toBe("128");
  });

  it("come back although the shared folder was wiped and the lab raised again", async () => {
    await raiseSysctls(lab("a"));
    await rm(join(folder, "shared"), { recursive: true });
    await raiseSysctls(lab("a"));
    await restoreSysctls(lab("a"), async () => []);
    expect(await instances()).toBe("128");
  });

  it("are not taken from before the last boot", async () => {
    await raiseSysctls(lab("a"));
    await set("kernel/random/boot_id", "boot-2");
    await set("fs/inotify/max_user_instances", "256");
    await raiseSysctls(lab("a"));
    await restoreSysctls(lab("a"), async () => []);
    expect(await instances()).toBe("256");
  });

  it("that the kernel does not have are left out", async () => {
    await rm(join(folder, "proc/vm"), { recursive: true });
    await raiseSysctls(lab("a"));
    await expect(restoreSysctls(lab("a"), async () => [])).resolves.toBeUndefined();
  });
});
