import { describe, expect, it } from "vitest";
import { definition } from "./definition.ts";
import type { Manifest } from "./manifest.ts";

function withSchema(openAPIV3Schema: unknown): Manifest {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "releases.castle.local" },
    spec: {
      group: "castle.local",
      versions: [{ name: "v1", schema: { openAPIV3Schema }, subresources: { status: {} } }],
    },
  };
}

const ours = (schema: unknown) => definition(withSchema(schema), "metallb", "metallb");

describe("an upstream definition", () => {
  it("loses what its schemas say to people, at every depth", () => {
    const text = { type: "string", description: "for people" };
    const told = {
      description: "for people",
      type: "object",
      properties: {
        one: text,
        list: { type: "array", items: text },
        map: { type: "object", additionalProperties: text },
        either: { anyOf: [text, { type: "integer" }], not: text },
      },
    };
    const plain = { type: "string" };
    expect(ours(told).spec).toEqual(
      withSchema({
        type: "object",
        properties: {
          one: plain,
          list: { type: "array", items: plain },
          map: { type: "object", additionalProperties: plain },
          either: { anyOf: [plain, { type: "integer" }], not: plain },
        },
      }).spec,
    );
  });

  it("keeps fields that are called description, and values that hold one", () => {
    const schema = {
      type: "object",
      properties: { description: { type: "string" } },
      default: { description: "a value" },
      enum: [{ description: "a value" }],
      "x-kubernetes-validations": [{ rule: "true", message: "no" }],
    };
    expect(ours(schema).spec).toEqual(withSchema(schema).spec);
  });

  it("is castle's, and stays when it leaves Git", () => {
    const { metadata } = ours({ type: "object" });
    expect(metadata.labels).toMatchObject({ "app.kubernetes.io/part-of": "castle" });
    expect(metadata.annotations).toEqual({ "kustomize.toolkit.fluxcd.io/prune": "disabled" });
  });

  it("without versions stays as it is", () => {
    const bare = { ...withSchema({}), spec: { group: "castle.local" } };
    expect(definition(bare, "metallb", "metallb").spec).toEqual(bare.spec);
  });
});
