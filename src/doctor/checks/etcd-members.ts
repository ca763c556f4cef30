import { controlPlanes } from "../../spec/control-planes.ts";
import type { Check } from "../check.ts";
import { type Examination, toldControlPlanes } from "../examination.ts";
import type { Finding } from "../finding.ts";

/** Also where the strange member has the address of a control plane: the ghost that `talosctl health` lets pass. */
export const etcdMembers: Check = {
  id: "etcd-members",
  title: "etcd's members are the control planes of the spec, all voters, and all members agree on it",
  asks: "control planes",
  judge: (examination) => {
    const lists = memberLists(examination);
    const first = lists[0];
    if (first === undefined) return { unknown: "no control plane told its members" };
    return [...disagreement(lists), ...againstSpec(examination, first)];
  },
};

interface MemberList {
  readonly teller: string;
  readonly members: readonly {
    readonly id: string;
    readonly name: string;
    readonly learner: boolean;
    readonly peerUrls: readonly string[];
  }[];
}

function memberLists(examination: Examination): readonly MemberList[] {
  return toldControlPlanes(examination).flatMap(({ node, etcd }) =>
    etcd === undefined ? [] : [{ teller: node.name, members: etcd.members }],
  );
}

function disagreement(lists: readonly MemberList[]): Finding[] {
  const texts = lists.map(({ teller, members }) => ({
    teller,
    text: members
      .map(({ id }) => id)
      .sort()
      .join(" "),
  }));
  if (new Set(texts.map(({ text }) => text)).size <= 1) return [];
  return texts.map(({ teller, text }) => ({
    severity: "critical",
    object: teller,
    message: `its list of members is another than its neighbours': ${text}`,
    fix: "castle ghosts",
  }));
}

function againstSpec({ castle }: Examination, { members }: MemberList): Finding[] {
  const expected = controlPlanes(castle);
  const missing = expected.filter(
    ({ name }) => !members.some((member) => member.name === name && !member.learner),
  );
  const strange = members.filter(({ name }) => !expected.some((node) => node.name === name));
  return [
    ...missing.map(({ name }) => ({
      severity: "critical" as const,
      object: name,
      message: "it has no vote in etcd",
      fix: "castle ghosts",
    })),
    ...strange.map(({ id, name, peerUrls }) => ({
      severity: "critical" as const,
      object: name === "" ? id : name,
      message: `etcd has a member that the spec does not know: ${id}, peer ${peerUrls.join(", ")}`,
      fix: "castle ghosts --cure",
    })),
  ];
}
