import { buildRouteMap } from "@stricli/core";
import type { Context } from "../../context.ts";
import { labInfisicalCommand } from "./infisical.ts";
import { labDownCommand, labStatusCommand, labUpCommand } from "./labs.ts";
import { labExecCommand, labLogsCommand, labPowerRoutes } from "./machines.ts";
import { labAgentCommand, labServeCommand } from "./serve.ts";
import { labSourceCommand } from "./source.ts";

export const labRoutes = buildRouteMap<string, Context>({
  docs: {
    brief: "The lab: a hypervisor on this machine that speaks the Proxmox API",
    fullDescription:
      "A lab's machines are real Talos nodes in network namespaces of this machine. Every lab has a name (the spec's hypervisor.lab.name, else the castle's), a network and a state of its own; several stand side by side.",
    hideRoute: { serve: true, agent: true },
  },
  routes: {
    up: labUpCommand,
    down: labDownCommand,
    status: labStatusCommand,
    logs: labLogsCommand,
    exec: labExecCommand,
    power: labPowerRoutes,
    source: labSourceCommand,
    infisical: labInfisicalCommand,
    serve: labServeCommand,
    agent: labAgentCommand,
  },
});
