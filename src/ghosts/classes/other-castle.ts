import type { Evidence, Ghost } from "../ghost.ts";
import type { NodeTestimony, Testimony } from "../testimony.ts";
import { expectedNamed, serviceText } from "../witness.ts";

/** G8: a machine of the spec that carries another castle's disk: another CA, or another etcd cluster. */
export function otherCastle(testimony: Testimony): Ghost[] {
  return testimony.nodes.flatMap((node): Ghost[] => {
    const fact = strangeness(node);
    if (fact === undefined) return [];
    const expected = expectedNamed(testimony, node.name);
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
        ],
        cures: [{ kind: "reprovision", node: node.name }],
      },
    ];
  });
}

function strangeness({ name, answer, etcd }: NodeTestimony): Evidence | undefined {
  if (answer === "foreign") {
    return { source: "machine", fact: `${name} answers with a certificate of another authority` };
  }
  if (etcd?.complaints.includes("other-cluster") === true) {
    return { source: "machine", fact: `${name}: ${serviceText(etcd)}` };
  }
  return undefined;
}
