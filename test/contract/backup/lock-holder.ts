import { hostname } from "node:os";
import { join } from "node:path";
import type { Carrier } from "../../../src/lifecycle/operators-lock/carrier.ts";
import type { Claim } from "../../../src/lifecycle/operators-lock/claim.ts";
import { gitCarrier } from "../../../src/lifecycle/operators-lock/git-carrier.ts";
import { withOperatorsLock } from "../../../src/lifecycle/operators-lock/operators-lock.ts";
import { identify } from "../../../src/support/process-identity.ts";
import { gitEnvironment } from "../../fixtures/git-remote.ts";

/** Milliseconds: short, so that nobody waits long for a dead holder. */
export const HEARTBEAT = 400;

let operators = 0;

/** One who would change castle fortress. */
export async function operator(work: string, change: Partial<Claim> = {}): Promise<Claim> {
  const running = await identify(process.pid);
  if (running === undefined) throw new Error("this process runs");
  operators += 1;
  const since = new Date().toISOString();
  return {
    castle: "fortress",
    work,
    user: "somebody",
    host: hostname(),
    process: running,
    since,
    renewed: since,
    mark: `${process.pid}-${operators}`,
    ...change,
  };
}

export function gitLock(url: string, folder: string): Promise<Carrier> {
  operators += 1;
  return gitCarrier("fortress", {
    url,
    folder: join(folder, `lock-${process.pid}-${operators}`),
    environment: gitEnvironment,
  });
}

// As a program: holds the lock until it is killed.
const [, , url, folder] = process.argv;
if (process.argv[1]?.endsWith("lock-holder.ts") === true && url !== undefined && folder !== undefined) {
  await withOperatorsLock(
    {
      carriers: [await gitLock(url, folder)],
      claim: await operator("rebuild"),
      heartbeat: HEARTBEAT,
      report: () => undefined,
      now: () => new Date(),
      signal: new AbortController().signal,
    },
    async () => {
      process.stdout.write("held\n");
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    },
  );
}
