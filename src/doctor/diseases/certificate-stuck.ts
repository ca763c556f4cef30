import { z } from "zod";
import { ACME_STATE, CERTIFICATES_NAMESPACE } from "../../platform/certificates.ts";
import type { Chart, Disease, Sought } from "../disease.ts";
import { holdersOf } from "../neighbourhood.ts";
import { kubectl } from "../remedy.ts";
import { whereItLeads } from "./site-name.ts";
import { parsedJson } from "../../support/json.ts";

const State = z.object({
  state: z.enum(["pending", "valid", "failed"]),
  namespace: z.string().default(""),
  secret: z.string().default(""),
  message: z.string().optional(),
  error: z.string().optional(),
  nextTry: z.string().optional(),
});
const States = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** The seed's certificates that stayed pending: the challenge is asked for at the host, and comes back to nobody. */
export const certificateStuck: Disease = {
  id: "certificate-stuck",
  title: "A certificate is not issued",
  reads: ["ConfigMap"],
  diagnose: (chart) => {
    const board = chart.manifests.find(
      ({ kind, namespace, name }) =>
        kind === "ConfigMap" && namespace === CERTIFICATES_NAMESPACE && name === ACME_STATE,
    );
    const told = States.safeParse(board?.body).data?.data ?? {};
    return Object.entries(told).flatMap(([host, text]): Sought[] => {
      const found = State.safeParse(parsedJson(text)).data;
      if (found === undefined || found.state === "valid") return [];
      const { state, error, message, nextTry, namespace, secret } = found;
      const why = reasons(chart, host);
      return [
        {
          severity: "critical",
          object: `certificate of ${host}`,
          message: `it is ${state}: ${why[0] ?? error ?? message ?? "the ACME controller has not said why"}`,
          evidence: [
            ...(error === undefined ? [] : [`last order: ${error}`]),
            ...(message === undefined ? [] : [`ACME controller: ${message}`]),
            ...(nextTry === undefined ? [] : [`next try ${nextTry}`]),
            ...why,
          ],
          fix:
            why.length === 0
              ? "the challenge has to reach the ingress on port 80 at that name"
              : "mend that, and the next try succeeds",
          command: kubectl(chart, `-n ${CERTIFICATES_NAMESPACE} rollout restart deployment acme`),
          symptoms: [`https://${host}/`, `TLS of ${host}`, `Secret ${namespace}/${secret}`],
        },
      ];
    });
  },
};

/** What the authority meets on its way to the challenge: the name, the address, the plain door. */
function reasons(chart: Chart, host: string): readonly string[] {
  const { examination } = chart;
  if (examination === undefined || examination.lan.silent !== undefined) return [];
  const { castle, lan } = examination;
  const name = lan.names.find((one) => one.host === host);
  const astray = name === undefined || name.failed !== undefined ? undefined : whereItLeads(castle, name);
  const door = lan.doors.find(({ port, pages }) => port === 80 || pages.some((page) => page.host === host));
  return [
    ...(astray === undefined ? [] : [astray]),
    ...(door !== undefined && holdersOf(chart, door.address)?.length === 0
      ? [`nobody answers ARP for ${door.address}`]
      : []),
    ...(door?.refused === undefined ? [] : [`${door.address}:${door.port}: ${door.refused}`]),
  ];
}
