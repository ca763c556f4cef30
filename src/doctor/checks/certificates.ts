import type { Check } from "../check.ts";
import { endsSoon } from "../remaining.ts";

export const certificates: Check = {
  id: "certificates",
  title: "No certificate of nodes, etcd, Kubernetes, sites or castle itself ends soon",
  judge: ({ certificates: held, at }) =>
    held.flatMap(({ object, ...life }) => {
      const ends = endsSoon(life, at);
      if (ends === undefined) return [];
      return [
        {
          severity: life.until <= at ? ("critical" as const) : ("warning" as const),
          object,
          message: ends,
          fix: "castle up writes fresh ones",
        },
      ];
    }),
};
