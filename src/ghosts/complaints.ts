import type { Complaint } from "./testimony.ts";

/** Words of etcd 3.5 and 3.6 and of Talos 1.10 and newer, as their logs have them. */
const WORDS: readonly (readonly [Complaint, RegExp])[] = [
  ["waits-to-join", /etcd is waiting to join the cluster/],
  ["peer-exists", /Peer URLs already exists/],
  ["unhealthy-cluster", /etcdserver: unhealthy cluster/],
  ["too-many-learners", /too many learner members in cluster/],
  ["removed", /the member has been permanently removed from the cluster/],
  ["other-cluster", /cluster ID mismatch/],
];

/** What Talos' own log says of etcd since it last started the service. */
export function complaintsOfTalos(lines: Iterable<string>): Complaint[] {
  const found = new Set<Complaint>();
  for (const line of lines) {
    if (line.includes("service[etcd](Starting)")) found.clear();
    else for (const complaint of complaintsIn(line)) found.add(complaint);
  }
  return [...found];
}

/**
 * What etcd's log, a JSON object a line, says since that moment of its own clock.
 * @param since undefined: all of it counts
 */
export function complaintsOfEtcd(lines: Iterable<string>, since: Date | undefined): Complaint[] {
  const found = new Set<Complaint>();
  for (const line of lines) {
    const complaints = complaintsIn(line);
    if (complaints.length === 0) continue;
    const at = logTime(line);
    if (since !== undefined && at !== undefined && at < since) continue;
    for (const complaint of complaints) found.add(complaint);
  }
  return [...found];
}

function complaintsIn(line: string): Complaint[] {
  return WORDS.flatMap(([complaint, words]) => (words.test(line) ? [complaint] : []));
}

/**
 * Seconds since a member was added, by the log of one that was there; at least so many where the log does not reach back
 * to it. Undefined: the log tells no time at all.
 */
export function secondsSinceAdded(lines: Iterable<string>, id: string, now: Date): number | undefined {
  let oldest: Date | undefined;
  let added: Date | undefined;
  for (const line of lines) {
    const at = logTime(line);
    if (at === undefined) continue;
    oldest ??= at;
    if (
      line.includes('"msg":"added member"') &&
      line.includes(`"added-peer-id":"${id.replace(/^0+/, "")}"`)
    ) {
      added = at;
    }
  }
  const since = added ?? oldest;
  return since === undefined ? undefined : Math.max(0, (now.getTime() - since.getTime()) / 1000);
}

function logTime(line: string): Date | undefined {
  const text = /"ts":"([^"]+)"/.exec(line)?.[1];
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at);
}
