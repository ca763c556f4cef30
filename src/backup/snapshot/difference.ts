import { type EtcdHistory, type KeyState, type Keys, REGISTRY } from "./history.ts";

/** What two states of a cluster do not have in common, as etcd's keys in their order. */
export interface Difference {
  /** Keys that both have with the same value. */
  readonly same: number;
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  readonly added: readonly string[];
}

/**
 * Every object of a backup beside the one that came back. A restored castle lives and writes on; but etcd keeps what it
 * held at the backup's own revision until the API server compacts it, five minutes after its start, and that is what is
 * compared, byte by byte.
 */
export function compareRestored(backup: EtcdHistory, restored: EtcdHistory): Difference {
  return differenceOf(backup.keysAt(), restored.keysAt(backup.revision));
}

/** What happened between two states. */
export function differenceOf(before: Keys, after: Keys): Difference {
  const missing: string[] = [];
  const changed: string[] = [];
  let same = 0;
  for (const [key, state] of before) {
    if (!key.startsWith(REGISTRY)) continue;
    const other = after.get(key);
    if (other === undefined) missing.push(key);
    else if (isSame(state, other)) same += 1;
    else changed.push(key);
  }
  const added = [...after.keys()].filter((key) => key.startsWith(REGISTRY) && !before.has(key));
  return { same, missing: missing.toSorted(), changed: changed.toSorted(), added: added.toSorted() };
}

function isSame(one: KeyState, other: KeyState): boolean {
  return one.created === other.created && one.value.equals(other.value);
}
