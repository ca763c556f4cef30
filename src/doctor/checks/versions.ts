import { controlPlanes } from "../../spec/control-planes.ts";
import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";
import type { Finding } from "../finding.ts";

export const versions: Check = {
  id: "versions",
  title: "Talos, etcd and Kubernetes run in the versions of the spec",
  asks: "nodes",
  judge: (examination) => {
    const { castle, cluster } = examination;
    const talos = toldNodes(examination).flatMap(({ node, talos: running }) =>
      running === castle.talos.version
        ? []
        : [wrong(node.name, `it runs Talos ${running}, the spec says ${castle.talos.version}`)],
    );
    const etcd = new Set(toldNodes(examination).flatMap(({ etcd: own }) => own?.status.version ?? []));
    const mixed =
      etcd.size > 1
        ? [wrong(controlPlanes(castle)[0]?.name ?? "etcd", `etcd runs in ${[...etcd].sort().join(" and ")}`)]
        : [];
    if (cluster.silent !== undefined) return [...talos, ...mixed];
    const kubelets = cluster.nodes.flatMap(({ name, kubelet }) =>
      kubelet === castle.kubernetes.version
        ? []
        : [wrong(name, `its kubelet is ${kubelet}, the spec says ${castle.kubernetes.version}`)],
    );
    const server =
      cluster.version === castle.kubernetes.version
        ? []
        : [wrong("kube-apiserver", `it is ${cluster.version}, the spec says ${castle.kubernetes.version}`)];
    return [...talos, ...mixed, ...kubelets, ...server];
  },
};

function wrong(object: string, message: string): Finding {
  return { severity: "warning", object, message };
}
