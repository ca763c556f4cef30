import type { Chart, Diagnosis, Disease } from "./disease.ts";
import { entryPointPort } from "./diseases/entry-point-port.ts";
import { ingressPort } from "./diseases/ingress-port.ts";
import { privilegedPort } from "./diseases/privileged-port.ts";
import { serviceTargetPort } from "./diseases/service-target-port.ts";
import { staticTag } from "./diseases/static-tag.ts";

const diseases: readonly Disease[] = [
  serviceTargetPort,
  ingressPort,
  entryPointPort,
  privilegedPort,
  staticTag,
];

/** Every disease that what was read shows, in the order of the diseases, then of the places. */
export function diagnose(chart: Chart): readonly Diagnosis[] {
  return diseases.flatMap((disease) =>
    disease.diagnose(chart).map((diagnosis) => ({ disease: disease.id, ...diagnosis })),
  );
}
