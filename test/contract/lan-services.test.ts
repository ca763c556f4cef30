import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LabGit } from "../../src/lab/descriptor.ts";
import { Lan, type LanOptions, removeLan } from "../../src/lab/lan/lan.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";
import {
  assertNothingLeft,
  assertRootIsClean,
  node,
  processesOf,
  programs,
  resolveName,
  until,
} from "./lan/plugged-lan.ts";

let folder: string;
let options: LanOptions;
let lan: Lan;

const PERSON = ["-c", "user.name=P", "-c", "user.email=p@example.org", "-c", "credential.helper="];

/** Git inside the LAN, as a pod would run it. */
async function git(args: readonly string[], env: Record<string, string> = {}) {
  const inside = [`--net=/run/netns/${lan.endpoints.namespace}`, "--", "git", ...PERSON, ...args];
  return run("nsenter", inside, {
    accept: [1, 128],
    timeout: 60_000,
    env: { GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", ...env },
  });
}

const withLogin = (url: string, { username, token }: LabGit) => url.replace("//", `//${username}:${token}@`);

async function startGit(): Promise<LabGit> {
  const { git: endpoints } = await lan.ensureServices({ git: true });
  if (endpoints === undefined) throw new Error("there is no Git server");
  return endpoints;
}

async function commit(work: string, name: string, content: string | Buffer): Promise<void> {
  await writeFile(join(work, name), content);
  await git(["-C", work, "add", name]);
  await git(["-C", work, "commit", "-q", "-m", name]);
}

describe.skipIf(!canRunLab)("services of the lab's LAN on demand", () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-services-"));
    options = {
      lab: "services-test",
      cidr: "192.168.1.0/24",
      gateway: "192.168.1.1",
      bridges: ["vmbr0"],
      state: join(folder, "state"),
      run: join(folder, "run"),
      shared: "/run/castle",
      programs,
      agent: node("lan-agent"),
    };
    lan = await Lan.open(options);
  });

  afterEach(async () => {
    await lan.close();
    await removeLan(options);
    await assertNothingLeft(folder);
    await rm(folder, { recursive: true });
  });

  afterAll(assertRootIsClean);

  it("serves Git to who knows the token: begin, push, clone, fetch, and 401 to others", async () => {
    expect(lan.endpoints.git).toBeUndefined();
    const endpoints = await startGit();
    expect(lan.endpoints.git).toEqual(endpoints);
    expect(endpoints.inside).toBe("http://192.168.1.1:3080");
    expect(await resolveName(lan, "git.lan")).toBe("192.168.1.1");
    await lan.setHosts({ "blog.tazlab.net": ["192.168.1.230"] });
    await until(
      "both names are known",
      async () => (await resolveName(lan, "blog.tazlab.net")) === "192.168.1.230",
    );
    expect(await resolveName(lan, "acme.lan")).toBe("192.168.1.1");

    const url = withLogin(`${endpoints.inside}/teams/fortress.git`, endpoints);
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    await git(["clone", "-q", url, one]);
    await commit(one, "a", "1\n");
    expect((await git(["-C", one, "push", "-q", "origin", "HEAD:main"])).stderr).toBe("");
    await git(["clone", "-q", url, two]);
    expect(await readFile(join(two, "a"), "utf8")).toBe("1\n");

    // From outside, through the forward: the same repository. Many haves make Git gzip its request.
    for (let count = 0; count < 40; count += 1) {
      // Each younger than what both know, or Git would offer that first and be done in one small request.
      const GIT_COMMITTER_DATE = `${4_000_000_000 + count} +0000`;
      await git(["-C", two, "commit", "-q", "--allow-empty", "-m", String(count)], { GIT_COMMITTER_DATE });
    }
    await commit(one, "b", "2\n");
    await git(["-C", one, "push", "-q", "origin", "HEAD:main"]);
    const outside = withLogin(`${endpoints.outside}/teams/fortress.git`, endpoints);
    const fetched = await run("git", ["-C", two, "-c", "protocol.version=2", "fetch", outside, "main"], {
      env: { GIT_TRACE_PACKET: "1", GIT_TRACE_CURL: "1", GIT_TRACE_CURL_NO_DATA: "1" },
    });
    expect(fetched.stderr).toMatch(/packet: +fetch< version 2/);
    expect(fetched.stderr).toMatch(/content-encoding: gzip/i);
    expect((await git(["-C", two, "show", "FETCH_HEAD:b"])).stdout).toBe("2");

    for (const login of ["", "castle:wrong@", "other:" + endpoints.token + "@"]) {
      const refused = await git(["ls-remote", `http://${login}192.168.1.1:3080/teams/fortress.git`]);
      expect(refused.exitCode).toBe(128);
      expect(refused.stderr).toMatch(/could not read Username|Authentication failed/);
    }
    const answer = await fetch(`${endpoints.outside}/teams/fortress.git/info/refs?service=git-upload-pack`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Basic /);
    const authorization = `Basic ${Buffer.from(`castle:${endpoints.token}`).toString("base64")}`;
    for (const path of [
      "/",
      "/teams/fortress.git/config",
      "/x/../../login/info/refs",
      "/a.git/b.git/info/refs",
    ]) {
      expect((await fetch(endpoints.outside + path, { headers: { authorization } })).status).toBe(404);
    }
    const command = await processesOf(folder);
    expect(command.filter((line) => line.includes(endpoints.token))).toEqual([]);
  });

  it("takes a push of 20 MB in chunks, and pushes at the same time", async () => {
    const endpoints = await startGit();
    const url = withLogin(`${endpoints.inside}/big.git`, endpoints);
    const work = join(folder, "work");
    await git(["clone", "-q", url, work]);
    await commit(work, "big", randomBytes(20 * 1024 * 1024));
    expect(await git(["-C", work, "push", "-q", "origin", "HEAD:main"])).toMatchObject({ exitCode: 0 });
    const pushes = [1, 2, 3, 4, 5].map((index) =>
      git(["-C", work, "push", "-q", "origin", `HEAD:refs/heads/b${index}`]),
    );
    expect((await Promise.all(pushes)).map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
    const clone = join(folder, "clone");
    expect(await git(["clone", "-q", "--branch", "b5", url, clone])).toMatchObject({ exitCode: 0 });
    expect((await readFile(join(clone, "big"))).equals(await readFile(join(work, "big")))).toBe(true);
    // One wins, the others are told; nothing is half done.
    const racers = await Promise.all(
      [1, 2, 3].map(async (index) => {
        const racer = join(folder, `racer-${index}`);
        await git(["clone", "-q", url, racer]);
        await commit(racer, `r${index}`, "r");
        return racer;
      }),
    );
    const race = await Promise.all(
      racers.map((racer) => git(["-C", racer, "push", "-q", "origin", "HEAD:main"])),
    );
    expect(race.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
  });

  it("survives a client that goes away in the middle of a push", async () => {
    const endpoints = await startGit();
    const url = withLogin(`${endpoints.inside}/cut.git`, endpoints);
    const work = join(folder, "work");
    await git(["clone", "-q", url, work]);
    await commit(work, "big", randomBytes(8 * 1024 * 1024));
    const { hostname, port } = new URL(endpoints.outside);
    const authorization = Buffer.from(`castle:${endpoints.token}`).toString("base64");
    const half = spawn("sh", [
      "-c",
      `(printf 'POST /cut.git/git-receive-pack HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Basic ${authorization}\\r\\nContent-Type: application/x-git-receive-pack-request\\r\\nContent-Length: 100000\\r\\n\\r\\n0000'; sleep 0.2) | ${process.execPath} -e 'const s=require("net").connect(${port},"${hostname}");process.stdin.pipe(s);process.stdin.on("end",()=>process.exit())'`,
    ]);
    await new Promise((resolve) => half.once("exit", resolve));
    expect(await git(["-C", work, "push", "-q", "origin", "HEAD:main"])).toMatchObject({ exitCode: 0 });
    await until("no Git is left over", async () =>
      (await processesOf(folder)).every((line) => !/receive-pack|http-backend/.test(line)),
    );
  });

  it("come back with the next daemon, at the same addresses and with the same token", async () => {
    const endpoints = await startGit();
    await git(["clone", "-q", withLogin(`${endpoints.inside}/kept.git`, endpoints), join(folder, "work")]);
    await commit(join(folder, "work"), "a", "1");
    await git(["-C", join(folder, "work"), "push", "-q", "origin", "HEAD:main"]);
    await lan.close();
    lan = await Lan.open(options);
    expect(lan.endpoints.git).toEqual(endpoints);
    const listed = await git(["ls-remote", withLogin(`${endpoints.inside}/kept.git`, endpoints)]);
    expect(listed.stdout).toContain("refs/heads/main");
  });
});
