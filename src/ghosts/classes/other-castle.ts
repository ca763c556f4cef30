import type { Evidence, Ghost } from "../ghost.ts";
import type { Member, NodeTestimony, Testimony } from "../testimony.ts";
import { expectedNamed, memberText, membersOf, serviceText } from "../witness.ts";

/** G8: a machine of the spec that carries another castle's disk: another CA, or another etcd cluster. */
export function otherCastle(testimony: Testimony): Ghost[] {
  // Where nobody trusts this castle's credentials, it is they that are another castle's.
  const ours = testimony.nodes.some(({ answer }) => answer === "trusted");
  return testimony.nodes.flatMap((node): Ghost[] => {
    const fact = ours ? strangeness(node, membersOf(testimony)) : undefined;
    if (fact === undefined) return [];
    const expected = expectedNamed(testimony, node.name);
    // Its own data went with its own disk: what it was votes no more.
    const members = membersOf(testimony);
    const was =
      members.find(({ name }) => name === node.name) ??
      members.find(({ peers }) => expected !== undefined && peers.includes(expected.address));
    return [
      {
        class: "G8",
        title: "A machine carries the disk of another castle",
        subject: node.name,
        state: { kind: "ghost" },
        evidence: [
          fact,
          {
            source: "spec",
            fact: `${node.name} is ${expected?.role ?? "unknown"} on ${expected?.address ?? "?"}`,
          },
          { source: "hypervisor", fact: `its machine is ${node.machine}` },
          ...(was === undefined
            ? []
            : [{ source: "etcd" as const, fact: `${memberText(was)}, whose data is gone` }]),
        ],
        cures: [
          ...(was === undefined ? [] : [{ kind: "remove-member" as const, member: was.id }]),
          { kind: "reprovision", node: node.name },
        ],
      },
    ];
  });
}

function strangeness(
  { name, answer, kubelet, etcd }: NodeTestimony,
  members: readonly Member[],
): Evidence | undefined {
  if (answer === "foreign") {
    return { source: "machine", fact: `${name} answers with a certificate of another authority` };
  }
  // A worker has its machine API's certificate from its own control planes, which are not here.
  if (answer === "silent" && kubelet === "foreign") {
    return {
      source: "machine",
      fact: `${name}: its machine API is silent, and its kubelet does not know this castle's authority`,
    };
  }
  // Members complain of whoever knocks with another cluster's id; the stranger is the one that is no member.
  if (members.some(({ id }) => id === etcd?.member)) return undefined;
  if (etcd?.complaints.includes("other-cluster") === true) {
    return { source: "machine", fact: `${name}: ${serviceText(etcd)}` };
  }
  return undefined;
}
