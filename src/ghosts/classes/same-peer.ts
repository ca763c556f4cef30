import type { Cure, Evidence, Ghost } from "../ghost.ts";
import type { ExpectedNode, Member, NodeTestimony, Testimony } from "../testimony.ts";
import { expectedAt, memberText, membersOf, serviceText, testimonyOf } from "../witness.ts";

/** Seconds after which a voter that never started is a ghost: who adds one by hand starts it next. */
const UNSTARTED_PATIENCE = 30;

/**
 * G2, the seed's ghost: a member under another name holds the peer address of a node that wants to join. Talos takes out
 * only what is called as the node itself is, so it never ends.
 */
export function samePeer(testimony: Testimony): Ghost[] {
  return membersOf(testimony).flatMap((member): Ghost[] => {
    const expected = expectedAt(testimony, member.peers);
    const unstarted = member.name === "";
    if (expected === undefined || (unstarted && member.learner)) return [];
    const node = testimonyOf(testimony, expected.name);
    // What the node calls itself counts, because Talos goes by it; one that runs this very member is no ghost.
    const caller = node?.hostname ?? expected.name;
    if (member.name === caller || node?.etcd?.member === member.id) return [];
    // The machine that was this member has another castle's disk now: a ghost of its own class.
    if (node?.answer === "foreign") return [];
    return [
      {
        class: "G2",
        title: "A member under another name holds the address of a node of the spec",
        subject: unstarted ? member.id : member.name,
        ...(unstarted ? arriving(member) : { state: { kind: "ghost" }, cures: [removal(member)] }),
        evidence: [
          { source: "etcd", fact: memberText(member) },
          ownership(expected, caller),
          ...service(node),
        ],
      },
    ];
  });
}

/** A voter that never started: whoever added it may be about to start it. */
function arriving(member: Member): Pick<Ghost, "state" | "cures"> {
  const seconds = member.seconds ?? 0;
  if (seconds >= UNSTARTED_PATIENCE) return { state: { kind: "ghost" }, cures: [removal(member)] };
  return {
    state: { kind: "joining", seconds, ghostAt: UNSTARTED_PATIENCE },
    cures: [{ kind: "wait", seconds: UNSTARTED_PATIENCE }],
  };
}

function removal({ id }: Member): Cure {
  return { kind: "remove-member", member: id };
}

function ownership({ address, name }: ExpectedNode, caller: string): Evidence {
  const called = caller === name ? "" : `, which calls itself ${caller}`;
  return { source: "spec", fact: `${address} belongs to ${name}${called}` };
}

function service(node: NodeTestimony | undefined): readonly Evidence[] {
  if (node?.etcd === undefined) return [];
  return [{ source: "machine", fact: `${node.name}: ${serviceText(node.etcd)}` }];
}
