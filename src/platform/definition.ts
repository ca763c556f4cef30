import type { Manifest } from "./manifest.ts";
import { keptOnRemoval, relabelled } from "./upstream.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * An upstream CustomResourceDefinition under castle's labels, kept when it leaves Git, and without the descriptions in
 * its schemas: they are seven tenths of its bytes, and whenever Flux looks whether somebody has changed something, an
 * API server merges and validates all of them. `kubectl explain` still names fields and types.
 */
export function definition(upstream: Manifest, component: string, name: string): Manifest {
  const ours = keptOnRemoval(relabelled(upstream, component, name));
  const { spec } = ours;
  if (!isFields(spec) || !Array.isArray(spec["versions"])) return ours;
  return { ...ours, spec: { ...spec, versions: spec["versions"].map(undescribedVersion) } };
}

function undescribedVersion(version: unknown): unknown {
  if (!isFields(version) || !isFields(version["schema"])) return version;
  const { openAPIV3Schema } = version["schema"];
  return { ...version, schema: { ...version["schema"], openAPIV3Schema: undescribed(openAPIV3Schema) } };
}

/** Where a schema holds others: one, a list, or one under each name. What else it holds are values, which stay. */
const SCHEMAS: ReadonlyMap<string, (inside: unknown) => unknown> = new Map([
  ["additionalProperties", undescribed],
  ["allOf", undescribedList],
  ["anyOf", undescribedList],
  ["items", undescribed],
  ["not", undescribed],
  ["oneOf", undescribedList],
  ["patternProperties", undescribedNamed],
  ["properties", undescribedNamed],
]);

function undescribed(schema: unknown): unknown {
  if (!isFields(schema)) return schema;
  const { description: _, ...rest } = schema;
  return Object.fromEntries(
    Object.entries(rest).map(([key, inside]) => [key, SCHEMAS.get(key)?.(inside) ?? inside]),
  );
}

function undescribedList(schemas: unknown): unknown {
  return Array.isArray(schemas) ? schemas.map(undescribed) : schemas;
}

function undescribedNamed(schemas: unknown): unknown {
  if (!isFields(schemas)) return schemas;
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, undescribed(schema)]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
