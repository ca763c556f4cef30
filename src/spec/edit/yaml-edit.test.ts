import { describe, expect, it } from "vitest";
import { editYaml } from "./yaml-edit.ts";

const COUNT = ["nodes", "workers", "count"] as const;
const FROM = ["nodes", "workers", "from"] as const;
const LIST = ["nodes", "workers", "addresses"] as const;

describe("a value that stands there", () => {
  it.each([
    ["nodes:\n  workers:\n    count: 2 # two\n", "nodes:\n  workers:\n    count: 3 # two\n"],
    ["nodes: {workers: {count:  2,cores: 4}}\n", "nodes: {workers: {count:  3,cores: 4}}\n"],
    ['nodes:\r\n  "workers": { count: 2 }\r\n', 'nodes:\r\n  "workers": { count: 3 }\r\n'],
  ])("%j", (before, after) => {
    expect(editYaml(before, [{ path: COUNT, value: 3 }])).toBe(after);
  });

  it("keeps its quotes", () => {
    const text = `nodes:\n  workers: { from: '10.0.0.1' , count: 1 }`;
    expect(editYaml(text, [{ path: FROM, value: "10.0.0.9" }])).toBe(text.replace("10.0.0.1", "10.0.0.9"));
  });
});

describe("a value that is missing", () => {
  it.each([
    ["castle: a\n", "castle: a\nnodes: { workers: { count: 3 } }\n"],
    ["castle: a", "castle: a\nnodes: { workers: { count: 3 } }"],
    [
      "castle: a\nnodes:\n  controlPlanes:\n    count: 3 # odd\n\n# the end\n",
      "castle: a\nnodes:\n  controlPlanes:\n    count: 3 # odd\n  workers: { count: 3 }\n\n# the end\n",
    ],
    [
      "nodes:\n    workers:\n        cores: 2\ncastle: a\n",
      "nodes:\n    workers:\n        cores: 2\n        count: 3\ncastle: a\n",
    ],
    ["nodes: { workers: { cores: 2 } }\n", "nodes: { workers: { cores: 2, count: 3 } }\n"],
    ["nodes: { workers: {} }\n", "nodes: { workers: { count: 3 } }\n"],
  ])("%j", (before, after) => {
    expect(editYaml(before, [{ path: COUNT, value: 3 }])).toBe(after);
  });
});

describe("a list", () => {
  it.each([
    [
      "nodes: { workers: { addresses: [10.0.0.1, 10.0.0.2] } }\n",
      "nodes: { workers: { addresses: [10.0.0.1, 10.0.0.2, 10.0.0.3] } }\n",
    ],
    [
      "nodes:\n  workers:\n    addresses:\n      - 10.0.0.1 # one\n      - 10.0.0.2 # two\n    cores: 2\n",
      "nodes:\n  workers:\n    addresses:\n      - 10.0.0.1 # one\n      - 10.0.0.2 # two\n      - 10.0.0.3\n    cores: 2\n",
    ],
  ])("grows: %j", (before, after) => {
    expect(editYaml(before, [{ path: LIST, value: ["10.0.0.1", "10.0.0.2", "10.0.0.3"] }])).toBe(after);
  });

  it.each([
    [
      "nodes: { workers: { addresses: [10.0.0.1, 10.0.0.2] } }\n",
      "nodes: { workers: { addresses: [10.0.0.1] } }\n",
    ],
    [
      "nodes:\n  workers:\n    addresses:\n      - 10.0.0.1 # one\n      - 10.0.0.2 # two\n    cores: 2\n",
      "nodes:\n  workers:\n    addresses:\n      - 10.0.0.1 # one\n    cores: 2\n",
    ],
  ])("shrinks: %j", (before, after) => {
    expect(editYaml(before, [{ path: LIST, value: ["10.0.0.1"] }])).toBe(after);
  });
});

it("takes a key away with its line, or with its comma", () => {
  const gone = [{ path: COUNT, value: undefined }];
  expect(editYaml("nodes:\n  workers:\n    count: 2 # two\n    cores: 4\n", gone)).toBe(
    "nodes:\n  workers:\n    cores: 4\n",
  );
  expect(editYaml("nodes: { workers: { count: 2, cores: 4 } }\n", gone)).toBe(
    "nodes: { workers: { cores: 4 } }\n",
  );
  expect(editYaml("nodes: { workers: { cores: 4, count: 2 } }\n", gone)).toBe(
    "nodes: { workers: { cores: 4 } }\n",
  );
});

it("does not write through an anchor or an alias", () => {
  const shared = "nodes:\n  controlPlanes: &group { count: 3 }\n  workers: *group\n";
  const error = expect.objectContaining({ code: "spec/not-editable" });
  expect(() => editYaml(shared, [{ path: COUNT, value: 5 }])).toThrow(error);
  expect(() => editYaml(shared, [{ path: ["nodes", "controlPlanes", "count"], value: 5 }])).toThrow(error);
});
