import { isMap, parseAllDocuments } from "yaml";
import { z } from "zod";

/** One Kubernetes object as somebody wrote or applied it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The whole object; a disease reads of it what it knows. */
  readonly body: unknown;
  /** Where it stands: FILE:LINE, or the cluster. */
  readonly origin: string;
}

const Head = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    namespace: z.string().default("default"),
    labels: z.record(z.string(), z.string()).default({}),
  }),
});

/** KIND NAMESPACE/NAME, as findings call an object. */
export function objectName({ kind, namespace, name }: Pick<Manifest, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace}/${name}`;
}

/** An object as a manifest; undefined: it is none. */
export function manifestOf(body: unknown, origin: string): Manifest | undefined {
  const head = Head.safeParse(body).data;
  if (head === undefined) return undefined;
  const { apiVersion, kind, metadata } = head;
  return { apiVersion, kind, ...metadata, body, origin };
}

/** A YAML document that is not a Kubernetes object, for example Helm's values. */
export interface LooseDocument {
  readonly body: unknown;
  readonly origin: string;
}

export interface ReadYaml {
  readonly manifests: readonly Manifest[];
  readonly others: readonly LooseDocument[];
}

/**
 * Every object of a YAML text. What is no YAML (a template, say) gives nothing: a doctor reads what can be read.
 * @param line of the text's first line in `file`, for texts that lie inside others
 */
export function readYaml(text: string, file: string, line = 1): ReadYaml {
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent" });
  const manifests: Manifest[] = [];
  const others: LooseDocument[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    if (document.errors.length > 0 || !isMap(document.contents)) continue;
    const start = document.contents.range?.[0] ?? 0;
    const origin = `${file}:${line + text.slice(0, start).split("\n").length - 1}`;
    const body: unknown = document.toJS();
    const found = itemsOf(body).map((item) => manifestOf(item, origin));
    const known = found.filter((one) => one !== undefined);
    if (known.length > 0) manifests.push(...known);
    else others.push({ body, origin });
  }
  return { manifests, others };
}

/** A List holds objects; everything else is one. */
function itemsOf(body: unknown): readonly unknown[] {
  const list = z.object({ kind: z.literal("List"), items: z.array(z.unknown()) }).safeParse(body);
  return list.data?.items ?? [body];
}
