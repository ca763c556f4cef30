import type { Draft } from "../draft.ts";
import type { Path } from "../fault.ts";
import { DEFAULT_KUBERNETES, DEFAULT_TALOS, kubernetesOfTalos, majorMinor } from "../versions.ts";

const TALOS: Path = ["talos", "version"];
const KUBERNETES: Path = ["kubernetes", "version"];

/** Talos is one that castle knows, and runs this Kubernetes. */
export function checkVersions(draft: Draft): void {
  const talos = draft.text(TALOS, DEFAULT_TALOS);
  const kubernetes = draft.text(KUBERNETES, DEFAULT_KUBERNETES);
  if (talos === undefined) return;
  const minor = majorMinor(talos);
  const span = minor?.major === 1 ? kubernetesOfTalos.get(minor.minor) : undefined;
  if (span === undefined) {
    const known = [...kubernetesOfTalos.keys()].map((known) => `1.${known}`);
    const message = `talos.version is ${talos}, expected one of Talos ${known.join(", ")}`;
    draft.fault(TALOS, { message, hint: `castle is measured with ${DEFAULT_TALOS}` });
    return;
  }
  if (kubernetes === undefined) return;
  const wanted = majorMinor(kubernetes);
  if (wanted?.major === 1 && wanted.minor >= span.oldest && wanted.minor <= span.newest) return;
  const fitting = `1.${span.oldest} to 1.${span.newest}`;
  // The version that was changed is the one to look at: a Kubernetes that is the default was not.
  if (kubernetes === DEFAULT_KUBERNETES) {
    const message = `talos.version is ${talos}, which runs Kubernetes ${fitting} and not ${kubernetes}`;
    draft.fault(TALOS, {
      message,
      hint: `set kubernetes.version to one of ${fitting}, or take Talos ${DEFAULT_TALOS}`,
    });
  } else {
    const message = `kubernetes.version is ${kubernetes}, expected ${fitting} with Talos ${talos}`;
    draft.fault(KUBERNETES, {
      message,
      hint: `Talos ${DEFAULT_TALOS} and Kubernetes ${DEFAULT_KUBERNETES} go together`,
    });
  }
}
