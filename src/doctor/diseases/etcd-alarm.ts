import type { Disease, Sought } from "../disease.ts";
import { toldControlPlanes } from "../examination.ts";
import { QUOTA, isNearlyFull } from "../etcd-room.ts";

const MIB = 1024 ** 2;

/** With NOSPACE every write is refused: the cluster goes on serving, and nothing can be changed any more. */
export const etcdAlarm: Disease = {
  id: "etcd-alarm",
  title: "etcd has raised an alarm, or its database is nearly full",
  diagnose: ({ examination }) => {
    if (examination === undefined) return [];
    return toldControlPlanes(examination).flatMap(({ node, etcd }): Sought[] => {
      if (etcd === undefined) return [];
      const { alarms, status } = etcd;
      const full = isNearlyFull(status.size);
      if (alarms.length === 0 && !full) return [];
      const [size, used] = [status.size, status.sizeInUse].map((bytes) => Math.round(bytes / MIB));
      return [
        {
          severity: alarms.length > 0 ? "critical" : "warning",
          object: node.name,
          message:
            alarms.length > 0
              ? `its etcd has raised ${alarms.join(", ")}: ${alarms.includes("CORRUPT") ? "its data differs from the other members'" : "no write is accepted"}`
              : `its etcd's database has ${size} MiB of its quota of ${QUOTA / MIB}`,
          evidence: [
            `etcd ${status.version} on ${node.name}: ${size} MiB on disk, ${used} MiB in use`,
            ...alarms.map((alarm) => `alarm ${alarm}`),
          ],
          fix: alarms.includes("CORRUPT")
            ? "give the member an empty disk, and let it join anew"
            : "give the unused pages back (defrag), member by member, then disarm the alarm",
          command: alarms.includes("CORRUPT")
            ? `castle replace ${node.name}`
            : `castle talosctl -- -n ${node.address} etcd defrag && castle talosctl -- -n ${node.address} etcd alarm disarm`,
        },
      ];
    });
  },
};
