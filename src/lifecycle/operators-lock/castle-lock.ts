import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { pid } from "node:process";
import { identify } from "../../support/process-identity.ts";
import { userName } from "../../support/process-lock.ts";
import type { CastleRun } from "../castle-run.ts";
import { gitAccess } from "../fortify/git-access.ts";
import type { Carrier } from "./carrier.ts";
import type { Claim } from "./claim.ts";
import { gitCarrier } from "./git-carrier.ts";
import { hypervisorCarrier } from "./hypervisor-carrier.ts";
import { withOperatorsLock } from "./operators-lock.ts";

export interface LockedRun {
  readonly run: CastleRun;
  readonly verb: string;
  /** For Git: PATH, HOME, proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs the work as the only changer of the castle among all operators. Where the lock lies follows from the spec alone,
 * so that all look at the same place: the GitOps repository that it names, else the hypervisor. A lab's own repository
 * comes and goes with the lab, which is a hypervisor.
 * @throws CastleError lifecycle/locked, lifecycle/lock-lost
 */
export async function withCastleLock<T>(
  { run, verb, environment }: LockedRun,
  work: (run: CastleRun) => Promise<T>,
): Promise<T> {
  const { report, now, signal } = run;
  const carriers = await carriersOf(run, environment);
  try {
    const claim = await claimOf(run, verb);
    return await withOperatorsLock({ carriers, claim, report, now, signal }, (locked) =>
      work({ ...run, signal: locked }),
    );
  } finally {
    for (const carrier of carriers) await carrier.close();
  }
}

async function carriersOf(
  { castle, ground, home, store, signal }: CastleRun,
  environment: LockedRun["environment"],
): Promise<readonly Carrier[]> {
  const hypervisor = hypervisorCarrier(castle.name, ground.proxmox, signal);
  const url = castle.gitops?.repository;
  if (url === undefined) return [hypervisor];
  const { credentials } = await gitAccess({ store }, { repository: { inside: url, outside: url } });
  const folder = join(home.folder, "operators-lock");
  const git = await gitCarrier(castle.name, { url, folder, environment, credentials, signal });
  return [git, hypervisor];
}

async function claimOf({ castle, now }: CastleRun, work: string): Promise<Claim> {
  const process = await identify(pid);
  if (process === undefined) throw new Error("a process that runs can be identified");
  const since = now().toISOString();
  return {
    castle: castle.name,
    work,
    user: userName(),
    host: hostname(),
    process,
    since,
    renewed: since,
    mark: randomBytes(6).toString("hex"),
  };
}
