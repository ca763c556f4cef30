import type { Check } from "../check.ts";
import { toldControlPlanes } from "../examination.ts";

export const etcdHealthy: Check = {
  id: "etcd-healthy",
  title: "etcd runs and is healthy on every control plane",
  asks: "control planes",
  judge: (examination) =>
    toldControlPlanes(examination).flatMap(({ node, services, etcd }) => {
      const service = services.find(({ id }) => id === "etcd");
      const well = service?.state === "Running" && service.health === "healthy";
      if (well && etcd?.status.leader !== undefined && etcd.status.errors.length === 0) return [];
      const words = [
        service === undefined ? "etcd was never started" : `etcd is ${service.state}, ${service.health}`,
        ...(service?.message === undefined || service.message === "" ? [] : [service.message]),
        ...(well && etcd?.status.leader === undefined ? ["it follows no leader"] : []),
        ...(etcd?.status.errors ?? []),
      ];
      return [
        { severity: "critical" as const, object: node.name, message: words.join("; "), fix: "castle ghosts" },
      ];
    }),
};
