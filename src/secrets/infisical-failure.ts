import { CastleError } from "../errors/castle-error.ts";

/** Where in Infisical, for messages. */
export interface InfisicalPlace {
  /** Without a slash at its end. */
  readonly url: string;
  readonly project: string;
  readonly environment: string;
  /** The castle's folder, for example /castle/fortress. */
  readonly path: string;
}

/** The SDK throws classes that it does not export, with the status in the text. */
const STATUS = /\[StatusCode=(\d{3})\]\s*(.*)$|status (\d{3})$/s;
const TOO_MANY = 429;

/** What went wrong when Infisical was asked; its own words are in the message. */
export function infisicalFailure(place: InfisicalPlace, cause: unknown): CastleError {
  if (cause instanceof CastleError) return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  const [, told, words = said, bare] = STATUS.exec(said) ?? [];
  const status = Number(told ?? bare ?? 0);
  if (status === 0 || status >= 500 || status === TOO_MANY) return away(place, said, cause);
  return new CastleError("secrets/refused", {
    message: `Infisical at ${place.url} refuses (${status}): ${words}`,
    hint: hintOf(status, place),
    cause,
    details: { status, url: place.url, project: place.project, environment: place.environment },
  });
}

/** Nobody there, or nobody who could answer now. */
export function away({ url }: InfisicalPlace, why: string, cause?: unknown): CastleError {
  return new CastleError("secrets/unreachable", {
    message: `Infisical at ${url} does not answer: ${why}`,
    hint: "castle secrets sync, once it answers",
    cause,
    details: { url },
  });
}

/** A write that waits for somebody's approval is not kept. */
export function awaitsApproval({ environment, path }: InfisicalPlace, name: string): CastleError {
  return new CastleError("secrets/refused", {
    message: `Infisical did not write ${path}/${name}: environment ${environment} wants every change approved`,
    hint: `exempt ${path} from the approval policy of ${environment}, then: castle secrets sync`,
  });
}

function hintOf(status: number, { project, environment, path }: InfisicalPlace): string {
  if (status === 401) {
    return "set INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET to those of a machine identity of this Infisical";
  }
  if (status === 403) {
    return `in Infisical, give the machine identity access to secrets and folders below ${path} of environment ${environment}, project ${project}`;
  }
  if (status === 404) {
    return `correct secrets.infisical in castle.yaml: project ${project} is the id, environment ${environment} the slug`;
  }
  return "CASTLE_DEBUG=1 with the same command shows more";
}
