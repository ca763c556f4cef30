import { parseAllDocuments } from "yaml";
import type { Manifest } from "./manifest.ts";

/** Path → text of the upstream projects' own YAML: CRDs, RBAC and webhooks, as their modules carry them. */
export type Sources = Readonly<Record<string, string>>;

/** The objects of the sources, found by what they are; the folders' names tell only which project they are of. */
export class SourceObjects {
  readonly #objects: readonly { readonly path: string; readonly manifest: Manifest }[];

  /** @throws Error if a source is no YAML: a broken part, not a fault of the user */
  constructor(sources: Sources) {
    this.#objects = Object.keys(sources)
      .sort()
      .flatMap((path) => parse(path, sources[path] ?? ""));
  }

  /** The CustomResourceDefinitions of one API group, sorted by name. */
  definitions(group: string): readonly Manifest[] {
    const found = this.#objects
      .filter(({ manifest }) => manifest.kind === "CustomResourceDefinition" && groupOf(manifest) === group)
      .map(({ manifest }) => manifest);
    if (found.length === 0) throw new Error(`the sources hold no CustomResourceDefinition of ${group}`);
    return found.sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
  }

  /** @param project text that the path holds, such as kustomize-controller */
  one(project: string, kind: string, name: string): Manifest {
    const found = this.#objects.find(
      ({ path, manifest }) =>
        path.includes(project) && manifest.kind === kind && manifest.metadata.name === name,
    );
    if (found === undefined) throw new Error(`the sources of ${project} hold no ${kind} ${name}`);
    return found.manifest;
  }
}

function groupOf({ spec }: Manifest): unknown {
  return typeof spec === "object" && spec !== null && "group" in spec ? spec.group : undefined;
}

function parse(path: string, text: string) {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]?.message}`);
    const manifest: unknown = document.toJS();
    return isManifest(manifest) ? [{ path, manifest }] : [];
  });
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null || !("kind" in value) || !("metadata" in value))
    return false;
  const { metadata } = value;
  return typeof metadata === "object" && metadata !== null && "name" in metadata;
}
