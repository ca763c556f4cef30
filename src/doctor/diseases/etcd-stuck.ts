import type { Disease, Sought } from "../disease.ts";
import { toldControlPlanes } from "../examination.ts";

/** `talosctl service etcd` says Preparing, for good: the member waits for a cluster that does not let it in. */
export const etcdStuck: Disease = {
  id: "etcd-stuck",
  title: "etcd does not start on a control plane",
  diagnose: ({ examination }) => {
    if (examination === undefined) return [];
    const planes = toldControlPlanes(examination);
    return planes.flatMap(({ node, services }): Sought[] => {
      const service = services.find(({ id }) => id === "etcd");
      if (service === undefined || service.state === "Running" || service.state === "Skipped") return [];
      const other = planes.find(({ node: { name }, etcd }) => name !== node.name && etcd !== undefined);
      const members = other?.etcd?.members ?? [];
      const own = members.find(({ name }) => name === node.name);
      const squatter = members.find(
        ({ name, peerUrls }) =>
          name !== node.name && peerUrls.some((url) => url.includes(`//${node.address}:`)),
      );
      return [
        {
          severity: "critical",
          object: node.name,
          message: `its etcd is ${service.state}${squatter === undefined ? "" : `: ${squatter.name === "" ? "an unnamed member" : squatter.name} still has its address`}`,
          evidence: [
            `${node.name}: service etcd ${service.state}, ${service.health}: ${service.message}`,
            ...members.map(
              ({ id, name, peerUrls, learner }) =>
                `member ${id} ${name === "" ? "(unnamed)" : name}${learner ? ", learner" : ""}: ${peerUrls.join(", ")}`,
            ),
            ...(members.length > 0 && own === undefined ? [`no member is called ${node.name}`] : []),
          ],
          fix:
            squatter === undefined
              ? "castle ghosts tells which member stands in its way"
              : `remove member ${squatter.id}: it is a ghost on ${node.address}`,
          command: "castle ghosts --cure",
          symptoms: [
            node.name,
            ...["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map(
              (pod) => `${pod} on ${node.name}`,
            ),
          ],
        },
      ];
    });
  },
};
