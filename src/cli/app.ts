import { buildApplication, buildRouteMap } from "@stricli/core";
import { kubeconfigCommand, talosconfigCommand } from "./commands/access.ts";
import { backupCommand, backupsCommand, restoreCommand } from "./commands/backup.ts";
import { certsCommand } from "./commands/certs.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { eventsCommand } from "./commands/events.ts";
import { ghostsCommand } from "./commands/ghosts.ts";
import { healthCommand } from "./commands/health.ts";
import { initCommand } from "./commands/init.ts";
import { labRoutes } from "./commands/lab/routes.ts";
import { partsRoutes } from "./commands/parts.ts";
import { loginCommand } from "./commands/login.ts";
import { openCommand } from "./commands/open.ts";
import { planCommand } from "./commands/plan.ts";
import { reconcileCommand } from "./commands/reconcile.ts";
import { rebuildCommand } from "./commands/rebuild.ts";
import { publishCommand, releasesCommand, rollbackCommand } from "./commands/publish.ts";
import { replaceCommand } from "./commands/replace.ts";
import { renderCommand } from "./commands/render.ts";
import { secretsRoutes } from "./commands/secrets.ts";
import { resetCommand } from "./commands/reset.ts";
import { scaleCommand } from "./commands/scale.ts";
import { shiftCommand } from "./commands/shift.ts";
import { statusCommand } from "./commands/status.ts";
import { kubectlCommand, talosctlCommand } from "./commands/tools.ts";
import { upCommand } from "./commands/up.ts";
import { validateCommand } from "./commands/validate.ts";
import type { Context } from "./context.ts";

const root = buildRouteMap<string, Context>({
  docs: {
    brief: "Raises a highly available Talos Kubernetes cluster on Proxmox from one typed file",
  },
  routes: {
    init: initCommand,
    validate: validateCommand,
    plan: planCommand,
    up: upCommand,
    reconcile: reconcileCommand,
    open: openCommand,
    down: downCommand,
    reset: resetCommand,
    rebuild: rebuildCommand,
    replace: replaceCommand,
    scale: scaleCommand,
    shift: shiftCommand,
    backup: backupCommand,
    backups: backupsCommand,
    restore: restoreCommand,
    status: statusCommand,
    health: healthCommand,
    doctor: doctorCommand,
    ghosts: ghostsCommand,
    events: eventsCommand,
    login: loginCommand,
    secrets: secretsRoutes,
    certs: certsCommand,
    kubeconfig: kubeconfigCommand,
    talosconfig: talosconfigCommand,
    kubectl: kubectlCommand,
    talosctl: talosctlCommand,
    publish: publishCommand,
    rollback: rollbackCommand,
    releases: releasesCommand,
    render: renderCommand,
    lab: labRoutes,
    parts: partsRoutes,
  },
});

export const app = buildApplication(root, {
  name: "castle",
  scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
  documentation: { disableAnsiColor: false },
});
