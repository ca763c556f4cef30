import { privileges } from "../api/privilege.ts";
import type { Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";

const PATHS = ["/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms"];

export function accessRoutes({ settings }: Datacenter): readonly Route[] {
  // 1 tells that a privilege also holds below its path.
  const granted = Object.fromEntries((settings.privileges ?? privileges).map((name) => [name, 1]));
  return [
    {
      method: "GET",
      path: "access/permissions",
      answer: ({ input }) => {
        const asked = input.get("path");
        const paths = asked === undefined ? PATHS : [asked];
        return Object.fromEntries(paths.map((path) => [path, granted]));
      },
    },
  ];
}
