/** One member of etcd as the planner counts it. */
export interface Voter {
  /** Whatever names it for good: etcd's member id, 16 hexadecimal digits. */
  readonly id: string;
  /** Takes part in votes now: started, reachable, and following the leader. */
  readonly healthy: boolean;
}

/** Who may vote, and who waits for a vote. */
export interface Electorate {
  readonly voters: readonly Voter[];
  readonly learners: readonly Voter[];
}

/** The arithmetic of an electorate, all of it counts of voters. */
export interface Standing {
  readonly voters: number;
  readonly healthy: number;
  /** Votes that a decision needs: (voters / 2) + 1, rounded down. */
  readonly quorum: number;
  /** Healthy voters that may be lost before quorum is; negative: so many are missing. */
  readonly tolerance: number;
}

/** (n / 2) + 1, rounded down: the seed's formula, and Raft's. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

export function standingOf({ voters }: Electorate): Standing {
  const healthy = voters.filter((voter) => voter.healthy).length;
  const quorum = majority(voters.length);
  return { voters: voters.length, healthy, quorum, tolerance: healthy - quorum };
}

/** Whether the electorate can decide anything now. */
export function holds({ tolerance }: Standing): boolean {
  return tolerance >= 0;
}

/** For people: "3 voters, 2 healthy, quorum 2, tolerance 0". */
export function standingText({ voters, healthy, quorum, tolerance }: Standing): string {
  const rest = tolerance < 0 ? `${-tolerance} short of quorum` : `tolerance ${tolerance}`;
  return `${voters} ${voters === 1 ? "voter" : "voters"}, ${healthy} healthy, quorum ${quorum}, ${rest}`;
}
