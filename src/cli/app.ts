import { buildApplication, buildRouteMap } from "@stricli/core";
import { kubeconfigCommand, talosconfigCommand } from "./commands/access.ts";
import { downCommand } from "./commands/down.ts";
import { initCommand } from "./commands/init.ts";
import { labAgentCommand, labServeCommand } from "./commands/lab/serve.ts";
import { statusCommand } from "./commands/status.ts";
import { kubectlCommand, talosctlCommand } from "./commands/tools.ts";
import { upCommand } from "./commands/up.ts";
import { validateCommand } from "./commands/validate.ts";
import type { Context } from "./context.ts";

const lab = buildRouteMap<string, Context>({
  docs: {
    brief: "The lab: a hypervisor on this machine that speaks the Proxmox API",
    hideRoute: { serve: true, agent: true },
  },
  routes: { serve: labServeCommand, agent: labAgentCommand },
});

const root = buildRouteMap<string, Context>({
  docs: {
    brief: "Raises a highly available Talos Kubernetes cluster on Proxmox from one typed file",
  },
  routes: {
    init: initCommand,
    validate: validateCommand,
    up: upCommand,
    down: downCommand,
    status: statusCommand,
    kubeconfig: kubeconfigCommand,
    talosconfig: talosconfigCommand,
    kubectl: kubectlCommand,
    talosctl: talosctlCommand,
    lab,
  },
});

export const app = buildApplication(root, {
  name: "castle",
  scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
  documentation: { disableAnsiColor: false },
});
