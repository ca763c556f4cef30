import type { JudgedGhost } from "./ghost.ts";

/**
 * Whose turn it is. A node that is made anew has to join, and etcd lets nobody join while a member that was added before
 * has not come: such members go first, and where one may still come its time is waited for.
 * @param ghosts all that were told, those that still join among them
 * @param treatable what castle can and may still do something about
 */
export function nextToTreat(
  ghosts: readonly JudgedGhost[],
  treatable: (ghost: JudgedGhost) => boolean,
): JudgedGhost | undefined {
  const ready = ghosts.filter((ghost) => ghost.state.kind === "ghost" && ghost.curable && treatable(ghost));
  const somebodyJoins = ghosts.some(({ state }) => state.kind === "joining");
  return ready.find((ghost) => !letsJoin(ghost)) ?? (somebodyJoins ? undefined : ready[0]);
}

function letsJoin({ cures }: JudgedGhost): boolean {
  return cures.some(({ kind }) => kind === "wipe-etcd" || kind === "reprovision");
}
