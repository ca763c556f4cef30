import { backupErrors } from "./catalogue/backup.ts";
import { buildErrors } from "./catalogue/build.ts";
import { commandErrors } from "./catalogue/command.ts";
import { gitopsErrors } from "./catalogue/gitops.ts";
import { imageErrors } from "./catalogue/image.ts";
import { hypervisorErrors } from "./catalogue/hypervisor.ts";
import { infraErrors } from "./catalogue/infra.ts";
import { kubernetesErrors } from "./catalogue/kubernetes.ts";
import { labErrors } from "./catalogue/lab.ts";
import { lanErrors } from "./catalogue/lan.ts";
import { lifecycleErrors } from "./catalogue/lifecycle.ts";
import { machineErrors } from "./catalogue/machine.ts";
import { partsErrors } from "./catalogue/parts.ts";
import { platformErrors } from "./catalogue/platform.ts";
import { publishErrors } from "./catalogue/publish.ts";
import { secretsErrors } from "./catalogue/secrets.ts";
import { sourceErrors } from "./catalogue/source.ts";
import { specErrors } from "./catalogue/spec.ts";
import { talosErrors } from "./catalogue/talos.ts";
import type { CatalogueEntry } from "./exit-code.ts";

const entries = {
  ...backupErrors,
  ...commandErrors,
  ...secretsErrors,
  ...specErrors,
  ...partsErrors,
  ...imageErrors,
  ...gitopsErrors,
  ...publishErrors,
  ...kubernetesErrors,
  ...labErrors,
  ...hypervisorErrors,
  ...lanErrors,
  ...infraErrors,
  ...talosErrors,
  ...lifecycleErrors,
  ...platformErrors,
  ...machineErrors,
  ...sourceErrors,
  ...buildErrors,
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof entries;

/** Every code that castle can end with; docs/errors.md is tested against it both ways. */
export const catalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = entries;
