import type { Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";
import { accessRoutes } from "./access.ts";
import { agentRoutes } from "./agent.ts";
import { cloneRoutes } from "./clone.ts";
import { clusterRoutes } from "./cluster.ts";
import { configRoutes } from "./config.ts";
import { diskRoutes } from "./disks.ts";
import { hostRoutes } from "./hosts.ts";
import { imageRoutes } from "./images.ts";
import { machineRoutes } from "./machines.ts";
import { poolRoutes } from "./pools.ts";
import { powerRoutes } from "./power.ts";
import { storageRoutes } from "./storage.ts";
import { taskRoutes } from "./tasks.ts";

/** Every call that the hypervisor answers; others end with 501. */
export function allRoutes(datacenter: Datacenter): readonly Route[] {
  return [
    ...accessRoutes(datacenter),
    ...clusterRoutes(datacenter),
    ...hostRoutes(datacenter),
    ...storageRoutes(datacenter),
    ...imageRoutes(datacenter),
    ...taskRoutes(datacenter),
    ...poolRoutes(datacenter),
    ...machineRoutes(datacenter),
    ...cloneRoutes(datacenter),
    ...configRoutes(datacenter),
    ...diskRoutes(datacenter),
    ...powerRoutes(datacenter),
    ...agentRoutes(datacenter),
  ];
}
