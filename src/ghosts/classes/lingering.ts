import type { Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { expectedNamed, membersOf } from "../witness.ts";

/** G7: known to discovery or Kubernetes only. Nothing breaks, but everybody who asks them is told of a node more. */
export function lingering(testimony: Testimony): Ghost[] {
  const { discovery, kubernetes } = testimony;
  const names = new Set([...(discovery ?? []), ...(kubernetes ?? [])].map(({ name }) => name));
  return [...names].sort().flatMap((name): Ghost[] => {
    if (expectedNamed(testimony, name) !== undefined) return [];
    // A machine of the spec that calls itself otherwise lives.
    if (testimony.nodes.some(({ hostname }) => hostname === name)) return [];
    // A member of etcd by that name is the greater ghost, and a class of its own.
    if (membersOf(testimony).some((member) => member.name === name)) return [];
    const registered = kubernetes?.find((node) => node.name === name);
    // Its kubelet lives: a machine that the spec does not know, but no ghost.
    if (registered?.ready === true) return [];
    const affiliate = discovery?.find((node) => node.name === name);
    return [
      {
        class: "G7",
        title: "Discovery or Kubernetes still lists a node that is gone",
        subject: name,
        state: { kind: "ghost" },
        evidence: [
          { source: "spec", fact: `no node is named ${name}` },
          ...(registered === undefined
            ? []
            : [
                {
                  source: "kubernetes" as const,
                  fact: `Node ${name}, NotReady, ${registered.address ?? "no address"}`,
                },
              ]),
          ...(affiliate === undefined
            ? []
            : [{ source: "discovery" as const, fact: `${name} on ${affiliate.addresses.join(", ")}` }]),
        ],
        cures: [
          ...(registered === undefined ? [] : [{ kind: "delete-node" as const, node: name }]),
          ...(affiliate === undefined ? [] : [{ kind: "expire" as const, node: name }]),
        ],
      },
    ];
  });
}
