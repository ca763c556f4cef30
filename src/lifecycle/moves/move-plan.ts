import { CastleError } from "../../errors/castle-error.ts";
import { type Judged, planSteps } from "../../quorum/plan.ts";
import type { Step } from "../../quorum/step.ts";
import { lineDifference } from "../../spec/edit/line-difference.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import type { CastleRun } from "../castle-run.ts";
import { standing } from "../../talos/standing.ts";
import { type Ballot, ballotOf, memberOf } from "../quorum/ballot.ts";
import { type ClusterAccess, withAccess } from "./cluster-access.ts";
import { claimAddresses } from "./tenancy.ts";
import { comingNodes, leavingNodes } from "./scale.ts";
import { type Occupied, movesNodes, occupiedAddresses, persistentVolumes } from "./shift.ts";
import type { SpecMove } from "./spec-write.ts";
import { isFailure } from "../../errors/failure.ts";

export interface PlannedMachine {
  readonly name: string;
  readonly address: string;
  readonly change: "made" | "deleted" | "made anew" | "moved" | "wiped" | "empty already";
  /** Of one that moves: where it is now. */
  readonly from?: string;
}

export interface PlannedVote {
  /** For people: "fortress-cp-3 leaves etcd". */
  readonly what: string;
  readonly judged: Judged;
}

/** What an operation would do, before it does any of it. */
export interface MovePlan {
  /** Lines of castle.yaml that go and come. */
  readonly edit: readonly string[];
  readonly machines: readonly PlannedMachine[];
  /** The steps that etcd's votes feel, each judged after the ones before it. */
  readonly votes: readonly PlannedVote[];
  /** Persistent volumes whose data goes. */
  readonly lost: readonly string[];
  /** New addresses that somebody answers on. */
  readonly occupied: readonly Occupied[];
  readonly notes: readonly string[];
  readonly allowed: boolean;
}

const NOTHING = { edit: [], lost: [], occupied: [], notes: [] } as const;

export async function planReplace(run: CastleRun, node: CastleNode): Promise<MovePlan> {
  const votes = await planVotes(run, [
    { node, kind: "remove" },
    { node, kind: "add" },
  ]);
  const machines = [{ name: node.name, address: node.address, change: "made anew" as const }];
  return { ...NOTHING, machines, votes, allowed: allowed(votes) };
}

export async function planScale(run: CastleRun, move: SpecMove): Promise<MovePlan> {
  const [leaving, coming] = [leavingNodes(run, move), comingNodes(run, move)];
  await claimAddresses(run, coming);
  const votes = await planVotes(run, [
    ...leaving.map((node) => ({ node, kind: "remove" as const })),
    ...coming.map((node) => ({ node, kind: "add" as const })),
  ]);
  return {
    ...NOTHING,
    edit: lineDifference(move.before, move.text),
    machines: [...leaving.map(planned("deleted")), ...coming.map(planned("made"))],
    votes,
    allowed: allowed(votes),
  };
}

function planned(change: PlannedMachine["change"]) {
  return ({ name, address }: CastleNode): PlannedMachine => ({ name, address, change });
}

/** Volumes that cannot be named because the API does not answer are told as that. */
export async function planShift(run: CastleRun, move: SpecMove): Promise<MovePlan> {
  const { castle } = run;
  const moves = movesNodes(run, move);
  const [occupied, { votes, lost, notes }] = await Promise.all([
    occupiedAddresses(run, move.castle),
    moves && (await isRaised(run))
      ? withAccess(run, (access) => priceOfWipe(run, access))
      : { votes: [], lost: [], notes: [] },
  ]);
  const machines = castle.nodes.map(({ name, address }, index): PlannedMachine => {
    const to = move.castle.nodes[index]?.address ?? address;
    return { name, address: to, change: "moved", from: address };
  });
  return {
    edit: lineDifference(move.before, move.text),
    machines: moves ? machines : [],
    votes,
    lost,
    occupied,
    notes: [`New addresses were looked for ${run.ground.probes}.`, ...notes],
    allowed: occupied.length === 0,
  };
}

/** What `castle reset` would do. */
export async function planReset(run: CastleRun): Promise<MovePlan> {
  return withAccess(run, async (access) => {
    const [machines, price] = await Promise.all([
      Promise.all(run.castle.nodes.map((node) => wipedMachine(run, access, node))),
      priceOfWipe(run, access),
    ]);
    return { ...NOTHING, ...price, machines: machines.flat(), allowed: true };
  });
}

/** What `castle rebuild` would do: a castle that was never raised has nothing to lose. */
export async function planRebuild(run: CastleRun): Promise<MovePlan> {
  const price = (await isRaised(run)) ? await withAccess(run, (access) => priceOfWipe(run, access)) : {};
  const machines = run.castle.nodes.map(planned("made anew"));
  return { ...NOTHING, votes: [], ...price, machines, allowed: true };
}

async function wipedMachine(
  { signal }: CastleRun,
  { clients, power }: ClusterAccess,
  node: CastleNode,
): Promise<readonly PlannedMachine[]> {
  if ((await power.state(node)) === "missing") return [];
  const { credentials } = clients;
  const endpoint = await clients.endpoint(node);
  const { kind } = await standing({ endpoint, name: node.name, credentials, signal });
  return [planned(kind === "new" ? "empty already" : "wiped")(node)];
}

async function isRaised({ store }: CastleRun): Promise<boolean> {
  return (await store.get("talosconfig")) !== undefined;
}

/** What goes with all disks at once. */
async function priceOfWipe(run: CastleRun, access: ClusterAccess) {
  const [votes, { lost, notes }] = await Promise.all([theEnd(run, access), losses(run, access)]);
  const told = "All that etcd and the nodes' disks hold is lost; secrets and certificates stay in the store.";
  return { votes, lost, notes: [told, ...notes] };
}

async function theEnd(run: CastleRun, { clients }: ClusterAccess): Promise<readonly PlannedVote[]> {
  const ballot = await ballotOf(run, clients);
  if (ballot === undefined) return [];
  const [judged] = planSteps(ballot.electorate, [{ kind: "end" }]).steps;
  return judged === undefined ? [] : [{ what: "every node is wiped", judged }];
}

async function losses(run: CastleRun, { api }: ClusterAccess) {
  if (api === undefined) return { lost: [], notes: [] };
  try {
    return { lost: await persistentVolumes(api, run.signal), notes: [] };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { lost: [], notes: [`Persistent volumes could not be asked for: ${error.message}`] };
  }
}

interface Wanted {
  readonly node: CastleNode;
  readonly kind: "remove" | "add";
}

/** @throws CastleError lifecycle/quorum where nobody tells who votes */
async function planVotes(run: CastleRun, wanted: readonly Wanted[]): Promise<readonly PlannedVote[]> {
  const voters = wanted.filter(({ node }) => node.role === "controlplane");
  if (voters.length === 0) return [];
  const ballot = await withAccess(run, ({ clients }) => ballotOf(run, clients));
  if (ballot === undefined) {
    throw new CastleError("lifecycle/quorum", {
      message: `No control plane of ${controlPlanes(run.castle).length} tells who votes in etcd: its quorum is lost, or nobody answers`,
      hint: "castle status shows which machines are on; power them on, or: castle rebuild",
    });
  }
  const steps = voters.flatMap((vote) => stepOf(ballot, vote));
  const { steps: judged } = planSteps(
    ballot.electorate,
    steps.map(({ step }) => step),
  );
  return judged.map((verdict, index) => ({ what: steps[index]?.what ?? "", judged: verdict }));
}

function stepOf(ballot: Ballot, { node, kind }: Wanted): readonly { what: string; step: Step }[] {
  if (kind === "add") {
    return [
      { what: `${node.name} joins as a learner and votes`, step: { kind, member: `new ${node.name}` } },
    ];
  }
  const member = memberOf(ballot, node);
  if (member === undefined) return [];
  return [{ what: `${node.name} (member ${member.id}) leaves etcd`, step: { kind, member: member.id } }];
}

function allowed(votes: readonly PlannedVote[]): boolean {
  return votes.every(({ judged }) => judged.verdict !== "refused");
}

/** What a plan would be refused for is refused before anything is touched. @throws CastleError lifecycle/quorum */
export function assertAllowed({ votes }: MovePlan): void {
  const refused = votes.find(({ judged }) => judged.verdict === "refused");
  if (refused === undefined) return;
  const { what, judged } = refused;
  throw new CastleError("lifecycle/quorum", {
    message: `${what}: refused, ${judged.reason}`,
    hint: "nothing was changed; bring the control planes that do not answer back first: castle status",
    details: { votes },
  });
}
