import type { Check } from "../check.ts";
import { toldControlPlanes } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { QUOTA, isNearlyFull } from "../etcd-room.ts";

export const etcdSpace: Check = {
  id: "etcd-space",
  title: "etcd has room and no alarm",
  asks: "control planes",
  judge: (examination) =>
    toldControlPlanes(examination).flatMap(({ node, etcd }): Finding[] => {
      if (etcd === undefined) return [];
      const { alarms, status } = etcd;
      const mebibytes = Math.round(status.size / 1024 ** 2);
      return [
        ...alarms.map((alarm) => ({
          severity: "critical" as const,
          object: node.name,
          message: `etcd has raised the alarm ${alarm}`,
          fix: `castle talosctl -- -n ${node.address} etcd defrag, then: etcd alarm disarm`,
        })),
        ...(isNearlyFull(status.size)
          ? [
              {
                severity: "warning" as const,
                object: node.name,
                message: `etcd's database has ${mebibytes} MiB of its quota of ${QUOTA / 1024 ** 2}`,
                fix: `castle talosctl -- -n ${node.address} etcd defrag`,
              },
            ]
          : []),
      ];
    }),
};
