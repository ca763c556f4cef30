import { CastleError } from "../errors/castle-error.ts";
import type { Examination } from "../doctor/examination.ts";
import type { Bedside } from "../doctor/examine/bedside.ts";
import { examine } from "../doctor/examine/examine.ts";
import { readGitTip } from "../lifecycle/git-tip.ts";
import { homeOf } from "../lifecycle/home.ts";
import { NodeClients } from "../lifecycle/raise/node-clients.ts";
import { secretsInStep } from "../lifecycle/secrets-in-step.ts";
import { examineBackups } from "./backup-age.ts";
import type { Context } from "./context.ts";
import { secretStore } from "./secret-store.ts";
import { statusSources } from "./session.ts";
import type { SpecFile } from "./spec-file.ts";
import type { StatusSources } from "../lifecycle/status.ts";
import { siteTrust } from "../platform/site-trust.ts";

/** Milliseconds that one question on the castle's network may take. */
const PATIENCE = { health: 2_500, diagnosis: 8_000 } as const;

export interface Examining {
  /** Also what only a diagnosis needs. */
  readonly thorough: boolean;
  /** Where somebody else looks as well, and has opened them. */
  readonly sources?: Promise<StatusSources>;
}

/**
 * Looks at the castle of a spec from all sides at once; health and doctor judge what is seen.
 * @throws CastleError where the castle does not stand at all
 */
export async function examineCastle(
  context: Context,
  spec: SpecFile,
  { thorough, sources = statusSources(context, spec) }: Examining,
): Promise<Examination> {
  const { castle, ground, credentials, kubeconfig, signal } = await sources;
  const clients = credentials === undefined ? undefined : new NodeClients({ ground }, credentials);
  const store = secretStore(context, spec);
  const look = { castle, ground, store, home: homeOf(spec.folder, castle.name) };
  const trust = siteTrust(castle, ground.roots);
  const bedside: Bedside = {
    castle,
    at: context.now(),
    talos:
      clients === undefined
        ? undefined
        : { credentials: clients.credentials, client: (node) => clients.trusted(node) },
    kubeconfig,
    lan: {
      patience: thorough ? PATIENCE.diagnosis : PATIENCE.health,
      dial: (address, port, patience) => ground.dial(address, port, patience),
      holders: (addresses, patience) => ground.holders(addresses, patience),
      ...(trust.ca === undefined ? {} : { roots: trust.ca }),
      verified: trust.verified,
    },
    git:
      castle.gitops === undefined
        ? undefined
        : (patience) => interruptible(patience, readGitTip({ ...look, signal: patience }, context.env)),
    store: (patience) => interruptible(patience, secretsInStep({ ...look, signal: patience }, kubeconfig)),
    thorough,
    signal,
  };
  try {
    const [seen, backups] = await Promise.all([examine(bedside), examineBackups(context, spec)]);
    return { ...seen, backups };
  } finally {
    clients?.close();
  }
}

/** Who asks a store or a repository may not be able to stop asking: the examination goes on without the answer. */
function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () =>
      reject(new CastleError("command/interrupted", { message: "nobody waits any longer" }));
    signal.addEventListener("abort", leave, { once: true });
    work.finally(() => signal.removeEventListener("abort", leave)).then(resolve, reject);
  });
}
