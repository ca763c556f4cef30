import { z } from "zod";
import type { Manifest } from "./manifest.ts";

const Port = z.object({ name: z.string().optional(), containerPort: z.number() });
const Security = z
  .object({
    runAsNonRoot: z.boolean().optional(),
    runAsUser: z.number().optional(),
    capabilities: z.object({ add: z.array(z.string()).optional() }).optional(),
  })
  .optional();
const Container = z.object({
  name: z.string(),
  image: z.string().default(""),
  args: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  ports: z.array(Port).default([]),
  securityContext: Security,
});
const PodSpec = z.object({
  containers: z.array(Container).default([]),
  initContainers: z.array(Container).default([]),
  securityContext: Security,
  hostNetwork: z.boolean().default(false),
});
const Template = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }).default({ labels: {} }),
  spec: PodSpec,
});

export type Container = z.infer<typeof Container>;

/** Pods that run, or that a workload makes. */
export interface PodTemplate {
  readonly manifest: Manifest;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: z.infer<typeof PodSpec>;
}

const WORKLOADS: ReadonlySet<string> = new Set([
  "Deployment",
  "DaemonSet",
  "StatefulSet",
  "ReplicaSet",
  "Job",
]);

/** The pods of every workload, and pods that stand alone. */
export function podTemplates(manifests: readonly Manifest[]): readonly PodTemplate[] {
  return manifests.flatMap((manifest): PodTemplate[] => {
    if (WORKLOADS.has(manifest.kind)) {
      const found = z.object({ spec: z.object({ template: Template }) }).safeParse(manifest.body).data;
      const template = found?.spec.template;
      return template === undefined
        ? []
        : [{ manifest, labels: template.metadata.labels, spec: template.spec }];
    }
    // One that a workload made is told by its workload.
    if (manifest.kind !== "Pod" || isOwned(manifest)) return [];
    const found = z.object({ spec: PodSpec }).safeParse(manifest.body).data;
    return found === undefined ? [] : [{ manifest, labels: manifest.labels, spec: found.spec }];
  });
}

/** Whether an object has all the labels that somebody selects by. */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function isOwned({ body }: Manifest): boolean {
  const owners = z.object({ metadata: z.object({ ownerReferences: z.array(z.unknown()) }) }).safeParse(body);
  return (owners.data?.metadata.ownerReferences.length ?? 0) > 0;
}

/** Whether a container may not be root, by its own word or its pod's. */
export function isNonRoot({ spec }: PodTemplate, { securityContext }: Container): boolean {
  const user = securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
  if (user !== undefined) return user !== 0;
  return (securityContext?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot) === true;
}

/** Whether a container was given the right to ports below 1024. */
export function mayBindLowPorts({ securityContext }: Container): boolean {
  return (securityContext?.capabilities?.add ?? []).some((name) => /^(CAP_)?NET_BIND_SERVICE$/.test(name));
}
