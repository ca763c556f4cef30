import type { Disease } from "../disease.ts";
import { toldControlPlanes } from "../examination.ts";

/** A line now and then is a busy moment; a disk that is too slow says so all the time. */
const LINES = 5;

export const etcdSlowDisk: Disease = {
  id: "etcd-slow-disk",
  title: "etcd waits for its disk",
  diagnose: ({ examination }) => {
    if (examination === undefined) return [];
    return toldControlPlanes(examination)
      .filter(({ etcd }) => (etcd?.slow.length ?? 0) >= LINES)
      .map(({ node, etcd }) => ({
        severity: "warning" as const,
        object: node.name,
        message: `its etcd waited ${etcd?.slow.length} times for its disk within the last minutes: elections are lost that way`,
        evidence: (etcd?.slow ?? []).slice(-3).map((line) => `etcd on ${node.name}: ${line}`),
        fix: "a faster disk for the control planes, or a quieter one: etcd needs less than 10 ms for each sync",
        command: `castle talosctl -- -n ${node.address} logs etcd`,
      }));
  },
};
