import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StepEvent } from "../../src/journal/step.ts";
import type { Carrier } from "../../src/lifecycle/operators-lock/carrier.ts";
import type { Claim } from "../../src/lifecycle/operators-lock/claim.ts";
import { hypervisorCarrier } from "../../src/lifecycle/operators-lock/hypervisor-carrier.ts";
import { withOperatorsLock } from "../../src/lifecycle/operators-lock/operators-lock.ts";
import { Secret } from "../../src/support/secret.ts";
import { GitRemote } from "../fixtures/git-remote.ts";
import { HEARTBEAT, gitLock, operator } from "./backup/lock-holder.ts";
import { TestLab } from "./hypervisor/lab.ts";

let git: GitRemote;
let lab: TestLab;
const opened: Carrier[] = [];
const never = new AbortController().signal;

beforeAll(async () => {
  git = await GitRemote.create();
  await git.commit({ "a.yaml": "a: 1\n" });
  lab = await TestLab.start();
});
afterAll(async () => {
  for (const carrier of opened) await carrier.close();
  await git.remove();
  await lab.remove();
});

async function gitPlace(): Promise<Carrier> {
  return gitLock(git.url, git.folder);
}

async function hypervisorPlace(): Promise<Carrier> {
  const carrier = hypervisorCarrier("fortress", lab.connection, never);
  opened.push(carrier);
  return carrier;
}

interface Taking {
  readonly carriers: readonly Carrier[];
  readonly claim: Claim;
  readonly events?: StepEvent[];
}

function take<T>(
  { carriers, claim, events = [] }: Taking,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const report = (event: StepEvent) => void events.push(event);
  return withOperatorsLock(
    { carriers, claim, heartbeat: HEARTBEAT, report, now: () => new Date(), signal: never },
    work,
  );
}

/** A clock that is an hour behind. */
const slow = () => new Date(Date.now() - 3_600_000);

/** Of another machine, which nobody here can look at. */
const afar = { host: "elsewhere", process: { pid: 4711, started: "1", boot: "another" } };

describe.each([
  ["a ref of the GitOps repository", gitPlace],
  ["a pool of the hypervisor", hypervisorPlace],
])("the operators' lock in %s", (_, place) => {
  it("refuses the second and says who holds it; and is free once the first has ended, well or badly", async () => {
    const [one, other] = [await place(), await place()];
    const claim = await operator("up");
    const mine = await operator("reset");
    await take({ carriers: [one], claim }, async () => {
      await expect(take({ carriers: [other], claim: mine }, async () => "in")).rejects.toMatchObject({
        code: "lifecycle/locked",
        message: expect.stringMatching(
          `castle up is at work on castle fortress: somebody@.*process ${process.pid}, since`,
        ),
      });
    });
    await expect(take({ carriers: [one], claim }, () => Promise.reject(new Error("no")))).rejects.toThrow(
      "no",
    );
    expect(await take({ carriers: [other], claim: mine }, async () => "in")).toBe("in");
    expect(await one.read()).toBeUndefined();
  });

  it("lets one in at a time of many that come at once", async () => {
    let inside = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, async () => {
        const carriers = [await place()];
        return take({ carriers, claim: await operator("up") }, async () => {
          inside += 1;
          expect(inside).toBe(1);
          await delay(50);
          inside -= 1;
        });
      }),
    );
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(refused.length).toBeLessThan(outcomes.length);
    expect(refused).toEqual(refused.map(() => expect.objectContaining({ code: "lifecycle/locked" })));
    expect(await (await place()).read()).toBeUndefined();
  });

  it("goes over from a holder of another machine that says nothing any more, once it was watched", async () => {
    const carrier = await place();
    const dead = await operator("up", {
      ...afar,
      renewed: new Date(Date.now() - 60 * HEARTBEAT).toISOString(),
    });
    await carrier.take(JSON.stringify(dead), undefined);
    const events: StepEvent[] = [];
    const claim = await operator("reset");
    expect(await take({ carriers: [carrier], claim, events }, async () => "in")).toBe("in");
    expect(events.map((event) => (event.type === "warning" ? event.message : ""))).toEqual([
      expect.stringContaining("has said nothing since"),
      expect.stringContaining("of somebody@elsewhere"),
    ]);
  });

  it("stays with a holder of another machine whose clock is slow: it moves while it is watched", async () => {
    const [theirs, ours] = [await place(), await place()];
    const held = withOperatorsLock(
      {
        carriers: [theirs],
        claim: await operator("up", afar),
        heartbeat: HEARTBEAT,
        report: () => undefined,
        now: slow,
        signal: never,
      },
      () => delay(HEARTBEAT * 6),
    );
    while ((await ours.read()) === undefined) await delay(20);
    const claim = await operator("reset");
    await expect(take({ carriers: [ours], claim }, async () => "in")).rejects.toMatchObject({
      code: "lifecycle/locked",
      details: expect.objectContaining({ host: "elsewhere", verb: "up" }),
    });
    await held;
  });

  it("stops a holder that was taken for dead", async () => {
    const [theirs, ours] = [await place(), await place()];
    const working = take({ carriers: [theirs], claim: await operator("up") }, async (signal) => {
      const found = await ours.read();
      if (found === undefined) throw new Error("it is held");
      const version = await ours.take(JSON.stringify(await operator("reset", afar)), found);
      expect(version).toBeDefined();
      await once(signal, "abort");
      throw new Error("called off");
    });
    await expect(working).rejects.toMatchObject({ code: "lifecycle/lock-lost" });
    // What is the other's by now was left to it.
    const left = await ours.read();
    expect(left?.text).toContain("elsewhere");
    if (left !== undefined) await ours.release(left);
  });
});

describe("two processes", () => {
  it("one holds the ref, the other is refused; one that is killed is seen to be dead at once", async () => {
    const program = fileURLToPath(new URL("backup/lock-holder.ts", import.meta.url));
    const child = execa(process.execPath, ["--import", "tsx", program, git.url, git.folder], {
      reject: false,
    });
    await once(child.stdout, "data");
    const carriers = [await gitPlace()];
    const claim = await operator("up");
    await expect(take({ carriers, claim }, async () => "in")).rejects.toMatchObject({
      message: expect.stringContaining(`castle rebuild is at work on castle fortress: somebody@`),
      details: expect.objectContaining({ pid: child.pid }),
    });
    child.kill("SIGKILL");
    await child;
    const events: StepEvent[] = [];
    expect(await take({ carriers, claim, events }, async () => "in")).toBe("in");
    expect(events).toHaveLength(1);
    // Nothing of it was ever on a branch.
    expect(await git.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
  });
});

describe("a place that takes no lock", () => {
  it("gives way to the hypervisor with a warning", async () => {
    await git.hook("update", 'case "$1" in refs/castle/*) echo no locks here; exit 1;; esac');
    const events: StepEvent[] = [];
    const claim = await operator("up");
    const hypervisor = await hypervisorPlace();
    await take({ carriers: [await gitPlace(), hypervisor], claim, events }, async () => {
      expect((await hypervisor.read())?.text).toContain(claim.mark);
    });
    expect(events).toEqual([
      expect.objectContaining({ message: expect.stringContaining("on the hypervisor instead") }),
    ]);
  });

  it("keeps nobody from working where the token may not make pools, and says so", async () => {
    const poor = await TestLab.start({ privileges: ["VM.Audit", "Pool.Audit"] });
    const carrier = hypervisorCarrier(
      "fortress",
      {
        endpoint: poor.hypervisor.endpoint,
        token: new Secret(poor.token),
        trust: { kind: "certificate", pem: poor.hypervisor.certificate },
        hosts: [],
        datastore: "a",
        imageDatastore: "b",
        bridge: "c",
      },
      never,
    );
    const events: StepEvent[] = [];
    expect(await take({ carriers: [carrier], claim: await operator("up"), events }, async () => "in")).toBe(
      "in",
    );
    expect(events).toEqual([
      expect.objectContaining({ message: expect.stringContaining("are not kept out") }),
    ]);
    await carrier.close();
    await poor.remove();
  });
});
