import type { Diagnosis } from "./disease.ts";
import type { CheckResult } from "./health.ts";

/** What health found and no disease explains: a symptom whose cause is named is not told twice. */
export function unexplained(
  checks: readonly CheckResult[],
  diagnoses: readonly Diagnosis[],
): readonly Diagnosis[] {
  const explained = new Set(diagnoses.flatMap(({ object, symptoms = [] }) => [object, ...symptoms]));
  return checks.flatMap(({ id, title, findings }) =>
    findings
      .filter(({ object }) => !explained.has(object))
      .map((finding) => ({
        disease: id,
        evidence: [`not true: ${title}`],
        ...finding,
        ...commandIn(finding.fix),
      })),
  );
}

/** A check's fix may be a command, or a sentence that begins with one: "castle status shows …". */
function commandIn(fix: string | undefined): { readonly command?: string } {
  const command = /^castle .*?(?=$|[,;]| (?:shows|writes|knows|names|tells) )/.exec(fix ?? "")?.[0];
  return command === undefined ? {} : { command };
}
