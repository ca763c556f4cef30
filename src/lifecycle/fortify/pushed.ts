import { CastleError } from "../../errors/castle-error.ts";
import { revisionCommit } from "../../gitops/flux-revision.ts";
import type { Repository } from "../../gitops/repository.ts";
import { isConcerned } from "../../platform/concern.ts";
import { componentNames } from "../../platform/components.ts";
import type { Castle } from "../../spec/castle.ts";
import type { FluxComponent, FluxState } from "./flux-state.ts";

/** What the castle's repository holds that the cluster may not run yet. */
export interface Pushed {
  /** The Kustomizations that have something to take, sorted. */
  readonly concerned: readonly string[];
  readonly unconcerned: readonly string[];
}

/**
 * Compares what each Kustomization applied last with the branch's tip. All are concerned where that cannot be told.
 * @throws CastleError kubernetes/…, command/interrupted
 */
export async function whatWasPushed(
  castle: Castle,
  repository: Promise<Repository>,
  state: Promise<FluxState>,
): Promise<Pushed> {
  const [copy, { components }] = await Promise.all([readTip(repository), state]);
  const names = [...components.keys()].toSorted();
  if (copy === undefined) return { concerned: names, unconcerned: [] };
  const own = componentNames(castle);
  const differences = await differencesOf(copy, [...components.values()]);
  const hasToTake = (name: string): boolean => {
    const one = components.get(name);
    const commit = revisionCommit(one?.revision);
    if (commit === undefined || one?.verdict.kind === "false") return true;
    const paths = differences.get(commit);
    if (paths === undefined) return true;
    if (commit === copy.commit) return false;
    const component = own.find((known) => known === name);
    // What a user's own Kustomization builds from, only the user knows.
    if (component === undefined || castle.gitops === undefined) return true;
    return isConcerned(castle.gitops, component, paths);
  };
  return { concerned: names.filter(hasToTake), unconcerned: names.filter((name) => !hasToTake(name)) };
}

/** By what was applied, the files that differ from the tip; asked once for all that stand at the same commit. */
async function differencesOf(
  { repository, commit }: Copy,
  components: readonly FluxComponent[],
): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
  const applied = new Set(components.flatMap(({ revision }) => revisionCommit(revision) ?? []));
  return new Map(
    await Promise.all(
      [...applied].map(
        async (one) => [one, one === commit ? [] : await repository.changed(one, commit)] as const,
      ),
    ),
  );
}

interface Copy {
  readonly repository: Repository;
  readonly commit: string;
}

async function readTip(opening: Promise<Repository>): Promise<Copy | undefined> {
  try {
    const repository = await opening;
    const { commit } = await repository.fetchTip();
    return commit === undefined ? undefined : { repository, commit };
  } catch (error) {
    if (error instanceof CastleError && error.code.startsWith("gitops/")) return undefined;
    throw error;
  }
}
