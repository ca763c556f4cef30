import { controlPlanes } from "../../spec/control-planes.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import type { EtcdMember } from "../../talos/etcd.ts";
import type { CastleRun } from "../castle-run.ts";
import { membersFromAny } from "../quorum/ballot.ts";
import type { NodeClients } from "./node-clients.ts";

/** Waits until etcd's voters are the castle's control planes, all of them and nobody else. */
export async function allVoters(run: CastleRun, clients: NodeClients): Promise<{ detail: string }> {
  const { castle, report, signal, patience } = run;
  const names = controlPlanes(castle).map(({ name }) => name);
  let last = "no control plane answered";
  await poll(
    async () => {
      const members = await membersFromAny(run, clients);
      if (members === undefined) return undefined;
      const voters = members.filter(({ learner }) => !learner).map(({ name }) => name);
      const learners = members
        .filter(({ learner }) => learner)
        .map(({ name }) => (name === "" ? "unstarted" : name));
      last = `voters: ${voters.join(", ")}${learners.length === 0 ? "" : `; learners: ${learners.join(", ")}`}`;
      report({ type: "progress", id: "etcd", message: last, done: voters.length, total: names.length });
      const extra = voters.filter((name) => !names.includes(name));
      if (extra.length > 0) throw ghost(extra, members);
      return names.every((name) => voters.includes(name)) ? true : undefined;
    },
    {
      every: 250,
      within: patience,
      signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `etcd did not have ${names.length} voters within ${patience / 1000} s; ${last}`,
          hint: "castle ghosts names who stands in the way; castle talosctl -- service etcd",
        }),
    },
  );
  return { detail: `${names.length} voters` };
}

function ghost(names: readonly string[], members: readonly EtcdMember[]): CastleError {
  return new CastleError("lifecycle/foreign-node", {
    message: `etcd has voters that the spec does not know: ${names.join(", ")}`,
    hint: "put them back into castle.yaml; or, if they are gone: castle ghosts, then castle ghosts --cure",
    details: { members: members.map(({ id, name, peerUrls }) => ({ id, name, peerUrls })) },
  });
}
