import { CastleError } from "../../errors/castle-error.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import { FirstKnown } from "./first-known.ts";
import { discovered } from "../moves/discovery.ts";
import { runStep } from "../../journal/step.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import type { CastleRun } from "../castle-run.ts";
import { ballotOf, membersFromAny } from "../quorum/ballot.ts";
import { passQuorum } from "../quorum/passage.ts";
import type { NodeClients } from "./node-clients.ts";

/** Milliseconds for discovery to know a node that has its configuration. */
const DISCOVERED = 5_000;

/**
 * Lets new control planes into a standing etcd one after the other: the next only once the one before votes, because etcd
 * takes one learner at a time and each join is a moment of its own for the quorum. Where nothing stands yet, all come as
 * soon as discovery knows the first.
 */
export class JoinTurns {
  readonly #run: CastleRun;
  readonly #clients: NodeClients;
  readonly #firstKnown: FirstKnown;
  #anyStands = false;
  #before: Promise<unknown> = Promise.resolve();

  constructor(run: CastleRun, clients: NodeClients) {
    this.#run = run;
    this.#clients = clients;
    const names = controlPlanes(run.castle).map(({ name }) => name);
    this.#firstKnown = new FirstKnown(names, (give) => discovered(run, DISCOVERED, give));
  }

  /** A control plane has a configuration of this castle already. */
  stands(): void {
    this.#anyStands = true;
    this.#firstKnown.open();
  }

  /** @param give gives the node its first configuration @throws CastleError lifecycle/quorum, lifecycle/timed-out */
  take<T>(node: CastleNode, give: () => Promise<T>): Promise<T> {
    return this.#firstKnown.take(node.name, () => this.#takeTurn(node, give));
  }

  async #takeTurn<T>(node: CastleNode, give: () => Promise<T>): Promise<T> {
    if (node.role === "worker" || !this.#anyStands) return give();
    const turn = this.#before.then(() => this.#join(node, give));
    this.#before = turn.catch(() => undefined);
    return turn;
  }

  async #join<T>(node: CastleNode, give: () => Promise<T>): Promise<T> {
    const [run, clients] = [this.#run, this.#clients];
    const { name } = node;
    const ballot = await ballotOf(run, clients);
    // An earlier run was killed before it bootstrapped etcd, or etcd has no quorum: nobody can join anything.
    if (ballot === undefined) return give();
    const stale = new Set(ballot.members.filter((member) => member.name === name).map(({ id }) => id));
    const step = { id: `join-${name}`, title: `${name} joins etcd, learns and votes` };
    const { given } = await runStep(run.report, step, async () => {
      const judged = await passQuorum(run, clients, {
        what: `${name} joining etcd`,
        step: () => ({ kind: "add", member: name }),
        patience: run.patience,
      });
      const given = await give();
      await this.#votes(name, stale);
      return { given, detail: judged?.reason ?? "it votes" };
    });
    return given;
  }

  async #votes(name: string, stale: ReadonlySet<string>): Promise<void> {
    const { patience, signal, report } = this.#run;
    let last = "it is no member yet";
    await poll(
      async () => {
        const members = await membersFromAny(this.#run, this.#clients);
        const own = members?.find((member) => member.name === name && !stale.has(member.id));
        last = own === undefined ? "it is no member yet" : "it is a learner";
        report({ type: "progress", id: `join-${name}`, message: last });
        return own?.learner === false ? true : undefined;
      },
      {
        every: 250,
        within: patience,
        signal,
        onTimeout: () =>
          new CastleError("lifecycle/timed-out", {
            message: `${name} had no vote in etcd within ${patience / 1000} s: ${last}`,
            hint: "castle ghosts tells what keeps it; the same command goes on from here",
          }),
      },
    );
  }
}
