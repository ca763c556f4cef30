import { CastleError } from "../errors/castle-error.ts";
import { titleOf } from "./address.ts";
import { certificateUntrusted, endpointUnreachable, tokenRejected } from "./proxmox-failure.ts";
import type { Diagnostic } from "./terraform-message.ts";
import type { TerraformOutcome } from "./terraform-process.ts";

interface Context {
  readonly endpoint: string;
  readonly directory: string;
}

/** What a diagnostic's text gives away, in the order in which the patterns are tried. */
const TRANSLATIONS: readonly {
  readonly pattern: RegExp;
  readonly error: (text: string, context: Context) => CastleError;
}[] = [
  {
    pattern: /received an HTTP 401|authentication failure|no such token|invalid (?:PVE API )?token/i,
    error: (_text, { endpoint }) => tokenRejected(endpoint),
  },
  // Before all that speaks of networks: this one is to the registry, not to Proxmox.
  {
    pattern:
      /Failed to (?:query available|install) provider|checksums previously recorded|Inconsistent dependency lock|Required plugins are not installed|registry service is unreachable/i,
    error: (text, { directory }) =>
      new CastleError("infra/provider-unavailable", {
        message: `Terraform could not get the Proxmox provider: ${text}`,
        hint: `check the network, or remove ${directory}/.terraform.lock.hcl if the provider was rebuilt on purpose`,
      }),
  },
  {
    pattern: /received an HTTP 403|Permission check failed/i,
    error: (text) =>
      new CastleError("infra/permission-denied", {
        message: `the API token lacks a privilege: ${text}`,
        hint: "run castle plan: it lists every missing privilege with the pveum line that grants it",
      }),
  },
  {
    pattern: /x509:|certificate signed by unknown authority|tls: failed to verify/i,
    error: (text, { endpoint }) => certificateUntrusted(endpoint, text),
  },
  {
    pattern:
      /connection refused|no such host|i\/o timeout|network is unreachable|no route to host|connection reset/i,
    error: (text, { endpoint }) => endpointUnreachable(endpoint, text),
  },
  {
    pattern: /VM \d+ already exists|config file already exists|(?:VM|CT) \d+ .*in use/i,
    error: (text) =>
      new CastleError("infra/vm-id-taken", {
        message: `a VM id of the castle belongs to another machine: ${text}`,
        hint: "choose other ids in castle.yaml, or remove that machine",
      }),
  },
  {
    pattern:
      /error downloading file|file metadata|content type 'import'|does not support (?:content|vm images)|wrong file extension/i,
    error: (text) =>
      new CastleError("infra/image-rejected", {
        message: `the Talos image could not be stored: ${text}`,
        hint: "the image datastore must hold `import`: pvesm set STORAGE --content import,iso,…; and the host must reach the factory",
      }),
  },
  {
    pattern: /Error acquiring the state lock/i,
    error: (_text, { directory }) =>
      new CastleError("infra/state-locked", {
        message: `another Terraform run holds the state in ${directory}`,
        hint: "wait for the other castle to end, then run the same command again",
      }),
  },
];

/** The one place where Terraform's and the provider's words are read; past it there are only castle's codes. */
export function diagnose(
  outcome: Pick<TerraformOutcome, "diagnostics" | "text">,
  context: Context,
): CastleError {
  const texts = errorsOf(outcome);
  const details = { diagnostics: texts };
  for (const { pattern, error } of TRANSLATIONS) {
    const text = texts.find((candidate) => pattern.test(candidate));
    if (text === undefined) continue;
    const { code, message, hint } = error(text, context);
    return new CastleError(code, { message, details, ...(hint === undefined ? {} : { hint }) });
  }
  const message =
    texts.length === 0 ? "Terraform failed without a word" : `Terraform failed: ${texts.join("; ")}`;
  return new CastleError("infra/terraform-failed", {
    message,
    hint: `run terraform plan in ${context.directory} to look closer`,
    details,
  });
}

/** Whether `terraform init` is what is missing. */
export function wantsInit(outcome: Pick<TerraformOutcome, "diagnostics" | "text">): boolean {
  const pattern =
    /Required plugins are not installed|Inconsistent dependency lock|Missing required provider/i;
  return errorsOf(outcome).some((text) => pattern.test(text));
}

/** Commands without a machine-readable form (init, untaint, show) complain in plain text. */
function errorsOf({ diagnostics, text }: Pick<TerraformOutcome, "diagnostics" | "text">): readonly string[] {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) return errors.map((diagnostic) => textOf(diagnostic));
  const plain = text.replaceAll(/[│╷╵]/g, " ").replaceAll(/\s+/g, " ").trim();
  return plain === "" ? [] : [plain.slice(-2_000)];
}

function textOf({ address, summary, detail }: Diagnostic): string {
  const place = address === undefined ? "" : `${titleOf(address)}: `;
  return `${place}${summary}${detail === "" ? "" : `: ${detail.replaceAll(/\s+/g, " ").trim()}`}`;
}
