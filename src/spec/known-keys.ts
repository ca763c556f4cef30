import { z } from "zod";
import type { Path } from "./fault.ts";
import { specSchema } from "./schema.ts";

type Shape = z.core.JSONSchema._JSONSchema | undefined;

/** The keys that a section of castle.yaml may have; none where the path leads to no section. */
export function knownKeys(path: Path): readonly string[] {
  const shape = path.reduce<Shape>(
    (at, step) => (typeof step === "number" ? itemsOf(at) : propertiesOf(at)[step]),
    z.toJSONSchema(specSchema, { io: "input" }),
  );
  return Object.keys(propertiesOf(shape));
}

/** Where in castle.yaml a key of exactly this name belongs; lists are left out. */
export function sectionsWith(key: string): readonly Path[] {
  const found: Path[] = [];
  const walk = (shape: Shape, path: Path): void => {
    for (const [name, child] of Object.entries(propertiesOf(shape))) {
      if (name === key) found.push(path);
      walk(child, [...path, name]);
    }
  };
  walk(z.toJSONSchema(specSchema, { io: "input" }), []);
  return found;
}

function propertiesOf(shape: Shape): Readonly<Record<string, Shape>> {
  if (typeof shape !== "object") return {};
  const { properties, anyOf } = shape;
  return properties ?? anyOf?.map(propertiesOf).find((found) => Object.keys(found).length > 0) ?? {};
}

function itemsOf(shape: Shape): Shape {
  const items = typeof shape === "object" ? shape.items : undefined;
  return Array.isArray(items) ? undefined : items;
}
