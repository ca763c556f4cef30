import { CastleError } from "../errors/castle-error.ts";
import { soleAnswer } from "./answer.ts";
import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

export interface EtcdMember {
  /** 16 hexadecimal digits, as etcdctl and Talos' own tools print it. */
  readonly id: string;
  /** Empty while the member has never started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** A learner has no vote yet. */
  readonly learner: boolean;
}

export interface EtcdStatus {
  readonly id: string;
  /** The id of the leader as this member sees it; undefined: none. */
  readonly leader: string | undefined;
  readonly learner: boolean;
  readonly version: string;
  /** Bytes on disk, and how many of them hold data. */
  readonly size: number;
  readonly sizeInUse: number;
  readonly raftIndex: bigint;
  readonly raftTerm: bigint;
  readonly errors: readonly string[];
}

export interface MemberQuery extends CallSettings {
  /** What the asked member itself believes, even without quorum; otherwise what the cluster agrees on. */
  readonly local?: boolean;
}

/**
 * etcd's members in the order of their names.
 * @throws CastleError talos/…
 */
export async function etcdMembers(
  client: TalosClient,
  { local, ...settings }: MemberQuery = {},
): Promise<EtcdMember[]> {
  const answers = await client.call(calls.etcdMemberList, { queryLocal: local ?? false }, settings);
  return soleAnswer(client, "EtcdMemberList", answers)
    .members.map(({ id, hostname, peerUrls, isLearner }) => ({
      id: memberId(id),
      name: hostname,
      peerUrls,
      learner: isLearner,
    }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The asked member's own state. @throws CastleError talos/… */
export async function etcdStatus(client: TalosClient, settings: CallSettings = {}): Promise<EtcdStatus> {
  const { memberStatus } = soleAnswer(
    client,
    "EtcdStatus",
    await client.call(calls.etcdStatus, {}, settings),
  );
  if (memberStatus === null) {
    throw new CastleError("talos/malformed", {
      message: `${client.name} sent an etcd status without a member`,
    });
  }
  const { dbSize, dbSizeInUse, errors, isLearner, leader, raftIndex, raftTerm } = memberStatus;
  return {
    id: memberId(memberStatus.memberId),
    leader: leader === "0" ? undefined : memberId(leader),
    learner: isLearner,
    version: memberStatus.protocolVersion,
    size: Number(dbSize),
    sizeInUse: Number(dbSizeInUse),
    raftIndex: BigInt(raftIndex),
    raftTerm: BigInt(raftTerm),
    errors,
  };
}

/**
 * Makes the asked control plane leave etcd for good; needs quorum. Its etcd ends with it, and does not come back by itself.
 * @throws CastleError talos/…
 */
export async function etcdLeave(client: TalosClient, settings: CallSettings = {}): Promise<void> {
  soleAnswer(client, "EtcdLeaveCluster", await client.call(calls.etcdLeaveCluster, {}, settings));
}

/** Takes any member out of the cluster, by the id that `etcdMembers` names; needs quorum. */
export async function etcdRemoveMember(
  client: TalosClient,
  id: string,
  settings: CallSettings = {},
): Promise<void> {
  const request = { memberId: BigInt(`0x${id}`).toString() };
  soleAnswer(
    client,
    "EtcdRemoveMemberByID",
    await client.call(calls.etcdRemoveMemberById, request, settings),
  );
}

/** Alarms that the asked member has raised, in etcd's words: NOSPACE, CORRUPT. @throws CastleError talos/… */
export async function etcdAlarms(client: TalosClient, settings: CallSettings = {}): Promise<string[]> {
  const answer = soleAnswer(client, "EtcdAlarmList", await client.call(calls.etcdAlarmList, {}, settings));
  return answer.memberAlarms.map(({ alarm }) => alarm).filter((alarm) => alarm !== "NONE");
}

function memberId(decimal: string): string {
  return BigInt(decimal).toString(16).padStart(16, "0");
}
