import { expect, it } from "vitest";
import { partSets } from "./part-sets.ts";

const gitops = {
  repository: "https://git.example.org/castle.git",
  branch: "main",
  path: "clusters/fortress",
};

it("asks for no platform without a Git repository that owns it, whatever else is set", () => {
  expect(partSets({ monitoring: { prometheus: true, grafana: true } })).toEqual(["machines"]);
});

it("asks for the monitoring only where it is wanted", () => {
  expect(partSets({ gitops })).toEqual(["machines", "platform"]);
  expect(partSets({ gitops, monitoring: { prometheus: false, grafana: true } })).toEqual([
    "machines",
    "platform",
  ]);
  expect(partSets({ gitops, monitoring: { prometheus: true, grafana: false } })).toEqual([
    "machines",
    "platform",
    "monitoring",
  ]);
});
