import { z } from "zod";
import type { Disease } from "../disease.ts";
import { editCommand, kubectl } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

const DENIED = /violates PodSecurity "([^"]+)": (.*)/s;

const Workload = z.object({
  status: z.object({
    conditions: z
      .array(z.object({ type: z.string(), status: z.string(), message: z.string().default("") }))
      .default([]),
  }),
});
const Refusal = z.object({
  message: z.string().default(""),
  involvedObject: z.object({ kind: z.string(), name: z.string(), namespace: z.string().default("default") }),
  lastTimestamp: z.string().nullish(),
});
/** Milliseconds: events stay for an hour, and what was mended meanwhile is well. */
const RECENT = 10 * 60_000;

/** The workload is there, its pods never come, and `get pods` shows nothing at all. */
export const podSecurity: Disease = {
  id: "pod-security",
  title: "A namespace's Pod Security does not let a workload's pods in",
  reads: ["Deployment", "DaemonSet", "StatefulSet", "Event"],
  diagnose: (chart) => {
    const { manifests, at } = chart;
    if (at === undefined) return [];
    const found = new Map<string, { readonly level: string; readonly violations: string }>();
    const note = (object: string, message: string) => {
      const [, level, violations] = DENIED.exec(message) ?? [];
      if (level !== undefined && violations !== undefined && !found.has(object))
        found.set(object, { level, violations });
    };
    for (const { kind, namespace, name, body } of manifests) {
      if (kind === "Deployment") {
        const conditions = Workload.safeParse(body).data?.status.conditions ?? [];
        const failure = conditions.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
        note(`Deployment ${namespace}/${name}`, failure?.message ?? "");
      }
      const refusal = kind === "Event" ? Refusal.safeParse(body).data : undefined;
      if (refusal === undefined || isOld(refusal.lastTimestamp, at)) continue;
      const { involvedObject: of, message } = refusal;
      // A Deployment tells of its ReplicaSets itself.
      if (of.kind !== "ReplicaSet") note(objectName(of), message);
    }
    return [...found].map(([object, { level, violations }]) => {
      const workload = manifests.find(
        ({ kind, namespace, name }) => `${kind} ${namespace}/${name}` === object,
      );
      const namespace = /\s([^/]+)\//.exec(object)?.[1] ?? "default";
      return {
        severity: "critical" as const,
        object,
        message: `its pods are refused: Pod Security "${level}" of namespace ${namespace}`,
        evidence: violations.split(/, (?=[a-z]\w+ )/).map((violation) => violation.trim()),
        fix: "give the pods the security context that is asked for, or the namespace another level",
        command:
          workload === undefined
            ? kubectl(chart, `get namespace ${namespace} -o yaml`)
            : editCommand(chart, workload),
      };
    });
  },
};

function isOld(time: string | null | undefined, at: Date): boolean {
  return typeof time === "string" && at.getTime() - Date.parse(time) > RECENT;
}
