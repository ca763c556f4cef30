import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { diagnose } from "../doctor/diagnose.ts";
import type { Chart, Diagnosis } from "../doctor/disease.ts";
import { readCluster } from "../doctor/examine/chart.ts";
import type { CheckResult } from "../doctor/health.ts";
import { readFolder } from "../doctor/manifests/folder.ts";
import { CastleError } from "../errors/castle-error.ts";
import { KubernetesApi } from "../kubernetes/api.ts";
import { Secret } from "../support/secret.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { healthOf } from "./health-command.ts";
import { statusSources } from "./session.ts";
import { readSpecFile } from "./spec-file.ts";

export interface DoctorRequest {
  readonly file: string;
  readonly kubeconfig: string | undefined;
  readonly paths: readonly string[];
}

export async function castleDoctor(context: Context, request: DoctorRequest): Promise<AnswerOf<"Diagnoses">> {
  const { read, diagnoses } = await findings(context, request);
  const count = diagnoses.length;
  return {
    kind: "Diagnoses",
    data: { objects: read, diagnoses },
    text: [
      ...diagnoses.map(diagnosisText),
      `${count === 0 ? "Nothing found" : `${count} found`} (${read} objects read)`,
    ].join("\n"),
    exit: count === 0 ? 0 : 3,
  };
}

async function findings(
  context: Context,
  { file, kubeconfig, paths }: DoctorRequest,
): Promise<{ read: number; diagnoses: readonly Diagnosis[] }> {
  if (paths.length > 0) return ofChart(await readPaths(context, paths));
  if (kubeconfig !== undefined) {
    return ofChart(await readLive(context, new Secret(await readText(context, kubeconfig))));
  }
  const sources = await statusSources(context, await readSpecFile(context, file));
  const [health, chart] = await Promise.all([
    healthOf(context, sources),
    sources.kubeconfig === undefined ? undefined : readLive(context, sources.kubeconfig).catch(silence),
  ]);
  const { read, diagnoses } = ofChart(chart ?? { manifests: [], others: [] });
  return { read, diagnoses: [...health.checks.flatMap(ofCheck), ...diagnoses] };
}

function ofChart(chart: Chart): { read: number; diagnoses: readonly Diagnosis[] } {
  return { read: chart.manifests.length + chart.others.length, diagnoses: diagnose(chart) };
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

async function readLive({ signal }: Context, kubeconfig: Secret): Promise<Chart> {
  const api = new KubernetesApi(kubeconfig);
  try {
    return await readCluster(api, signal);
  } finally {
    api.close();
  }
}

/** The silent API is a finding of health already. */
function silence(error: unknown): undefined {
  if (error instanceof CastleError && error.code !== "command/interrupted") return undefined;
  throw error;
}

function ofCheck({ id, title, findings: found }: CheckResult): readonly Diagnosis[] {
  return found.map((finding) => ({ disease: id, evidence: [`not true: ${title}`], ...finding }));
}

function diagnosisText({ disease, severity, object, message, evidence, fix }: Diagnosis): string {
  return [
    `✗ ${severity} ${object}: ${message} [${disease}]`,
    ...evidence.map((line) => `    ${line}`),
    ...(fix === undefined ? [] : [`  → ${fix}`]),
  ].join("\n");
}
