import { type CertificateState, certificateStates } from "../lifecycle/certificates/state.ts";
import type { AnswerOf } from "./answer.ts";
import { withCluster } from "./cluster-session.ts";
import type { Context } from "./context.ts";
import { secretStore } from "./secret-store.ts";
import { readSpecFile } from "./spec-file.ts";
import { table } from "./table.ts";

export async function listCertificates(
  context: Context,
  file: string,
): Promise<AnswerOf<"CastleCertificates">> {
  const spec = await readSpecFile(context, file);
  const { castle } = spec;
  const certificates = await withCluster(context, spec, secretStore(context, spec), (api) =>
    certificateStates(api, castle, { now: context.now(), signal: context.signal }),
  );
  return {
    kind: "CastleCertificates",
    data: { castle: castle.name, certificates },
    text:
      certificates.length === 0
        ? `Castle ${castle.name} asks for no certificates: its spec has no ingress.tls or no sites`
        : table([["HOST", "STATE", "ISSUER", "DAYS LEFT", ""], ...certificates.map(row)]),
    exit: certificates.some(({ state }) => state === "failed") ? 3 : 0,
  };
}

function row({ host, state, issuer, daysLeft, error, message, nextTry }: CertificateState): string[] {
  const trouble =
    error === undefined
      ? (message ?? "")
      : `${error}${nextTry === undefined ? "" : `; next order ${nextTry}`}`;
  return [host, state, issuer ?? "-", daysLeft === undefined ? "-" : String(daysLeft), trouble];
}
