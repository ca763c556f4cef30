import type { Testimony } from "./testimony.ts";
import { membersOf, serviceText } from "./witness.ts";

/**
 * Which control planes answer and do not vote, in sentences; none: all that can vote do.
 * @param except names of those that wait for something else than time
 */
export function votelessControlPlanes(testimony: Testimony, except: ReadonlySet<string>): readonly string[] {
  const voters = new Set(
    membersOf(testimony)
      .filter(({ learner }) => !learner)
      .map(({ id }) => id),
  );
  return testimony.nodes.flatMap(({ name, answer, etcd }) => {
    if (answer !== "trusted" || etcd === undefined || except.has(name)) return [];
    if (etcd.healthy && etcd.member !== undefined && voters.has(etcd.member)) return [];
    return [`${name} does not vote yet: ${serviceText(etcd)}`];
  });
}

/**
 * Which control planes are on by their hypervisor and told nothing of their etcd in this look, in sentences: on a busy
 * machine an answer may come too late, and the next look hears it.
 */
export function unheardControlPlanes({ spec, nodes }: Testimony): readonly string[] {
  return nodes.flatMap(({ name, machine, answer, etcd }) => {
    const isControlPlane = spec.some((node) => node.name === name && node.role === "controlplane");
    if (!isControlPlane || machine !== "running") return [];
    const unheard = answer === "silent" || (answer === "trusted" && etcd === undefined);
    return unheard ? [`${name} is on and did not tell of its etcd in time`] : [];
  });
}
