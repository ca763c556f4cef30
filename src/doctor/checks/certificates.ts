import type { Check } from "../check.ts";

/** Milliseconds before the end at which a certificate is told; Talos renews its own far earlier. */
const SOON = 14 * 24 * 3_600_000;

export const certificates: Check = {
  id: "certificates",
  title: "Every certificate is valid for two weeks and more",
  judge: ({ certificates: held, at }) =>
    held.flatMap(({ object, until }) => {
      const left = until.getTime() - at.getTime();
      if (left > SOON) return [];
      const days = Math.floor(left / (24 * 3_600_000));
      return [
        {
          severity: left <= 0 ? ("critical" as const) : ("warning" as const),
          object,
          message: left <= 0 ? `it ended on ${until.toISOString()}` : `it ends in ${days} days`,
          fix: "castle up writes fresh ones",
        },
      ];
    }),
};
