import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { chartOf } from "../doctor/chart.ts";
import { type Unjudged, diagnose, unjudged } from "../doctor/diagnose.ts";
import type { Chart, Diagnosis } from "../doctor/disease.ts";
import { examineCluster } from "../doctor/examine/examine.ts";
import { diagnoseGhosts } from "../doctor/ghosts.ts";
import { judgeHealth } from "../doctor/health.ts";
import { readFolder } from "../doctor/manifests/folder.ts";
import { CastleError } from "../errors/castle-error.ts";
import { lookForGhosts } from "../lifecycle/ghosts/look.ts";
import { unexplained } from "../doctor/unexplained.ts";
import { Secret } from "../support/secret.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { examineCastle } from "./examination.ts";
import { statusSources } from "./session.ts";
import { readSpecFile } from "./spec-file.ts";

export interface DoctorRequest {
  readonly file: string;
  readonly kubeconfig: string | undefined;
  readonly paths: readonly string[];
}

export async function castleDoctor(context: Context, request: DoctorRequest): Promise<AnswerOf<"Diagnoses">> {
  const { read, diagnoses, unknown } = await findings(context, request);
  const count = diagnoses.length;
  return {
    kind: "Diagnoses",
    data: { objects: read, diagnoses: [...diagnoses], unknown: [...unknown] },
    text: [
      ...diagnoses.map(diagnosisText),
      ...unknown.map(({ disease, reason }) => `? not known: ${reason} [${disease}]`),
      `${count === 0 ? "Nothing found" : `${count} found`} (${read} objects read)`,
    ].join("\n"),
    exit: count === 0 && unknown.length === 0 ? 0 : 3,
  };
}

interface Findings {
  readonly read: number;
  readonly diagnoses: readonly Diagnosis[];
  readonly unknown: readonly Unjudged[];
}

async function findings(context: Context, { file, kubeconfig, paths }: DoctorRequest): Promise<Findings> {
  if (paths.length > 0) return ofChart(await readPaths(context, paths));
  if (kubeconfig !== undefined) return ofAnyCluster(context, kubeconfig);
  const spec = await readSpecFile(context, file);
  const sources = statusSources(context, spec);
  const [examination, { ghosts }] = await Promise.all([
    examineCastle(context, spec, { thorough: true, sources }),
    sources.then(lookForGhosts),
  ]);
  const { checks } = judgeHealth(examination);
  const { objects } = examination;
  const charted = ofChart(chartOf(objects, examination));
  const found = { ...charted, diagnoses: [...diagnoseGhosts(ghosts), ...charted.diagnoses] };
  const silent = checks.flatMap(({ id, unknown }) =>
    unknown === undefined ? [] : [{ disease: id, reason: unknown }],
  );
  return {
    ...found,
    diagnoses: [...unexplained(checks, found.diagnoses), ...found.diagnoses],
    unknown: [...silent, ...found.unknown],
  };
}

/** @throws CastleError kubernetes/unreachable where the cluster tells nothing at all */
async function ofAnyCluster(context: Context, kubeconfig: string): Promise<Findings> {
  const secret = new Secret(await readText(context, kubeconfig));
  const objects = await examineCluster(secret, context.signal);
  if (objects.silent === undefined) return ofChart(chartOf(objects, undefined, context.now()));
  throw new CastleError("kubernetes/unreachable", {
    message: `${kubeconfig}: ${objects.silent}`,
    hint: `kubectl --kubeconfig ${kubeconfig} get nodes`,
  });
}

function ofChart(chart: Chart): Findings {
  return {
    read: chart.manifests.length + chart.others.length,
    diagnoses: diagnose(chart),
    unknown: unjudged(chart),
  };
}

async function readPaths(context: Context, paths: readonly string[]): Promise<Chart> {
  const charts = await Promise.all(
    paths.map((path) =>
      readFolder(resolve(context.cwd, path)).catch((cause: unknown) => {
        throw new CastleError("command/usage", { message: `${path} cannot be read`, cause });
      }),
    ),
  );
  return {
    manifests: charts.flatMap(({ manifests }) => manifests),
    others: charts.flatMap(({ others }) => others),
  };
}

async function readText(context: Context, file: string): Promise<string> {
  return readFile(resolve(context.cwd, file), "utf8").catch((cause: unknown) => {
    throw new CastleError("command/usage", { message: `${file} cannot be read`, cause });
  });
}

function diagnosisText({ disease, severity, object, message, evidence, fix, command }: Diagnosis): string {
  return [
    `✗ ${severity} ${object}: ${message} [${disease}]`,
    ...evidence.map((line) => `    ${line}`),
    ...(fix === undefined ? [] : [`  → ${fix}`]),
    ...(command === undefined || command === fix ? [] : [`    $ ${command}`]),
  ].join("\n");
}
