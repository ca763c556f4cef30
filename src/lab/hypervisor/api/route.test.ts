import { describe, expect, it } from "vitest";
import { type Route, matchRoute } from "./route.ts";

const routes: readonly Route[] = [
  { method: "GET", path: "nodes", answer: () => "nodes" },
  { method: "GET", path: "nodes/:host/qemu/:vmid/config", answer: () => "config" },
  { method: "GET", path: "nodes/:host/content/:volume+", answer: () => "volume" },
];

function values(...segments: string[]): Record<string, string> | string | undefined {
  const match = matchRoute(routes, "GET", segments);
  return typeof match === "object" ? Object.fromEntries(match.values) : match;
}

describe("routes", () => {
  it("takes the values out of a path", () => {
    expect(values("nodes", "pve1", "qemu", "100", "config")).toEqual({ host: "pve1", vmid: "100" });
  });

  it("keeps a slash within a segment, and joins what is left", () => {
    expect(values("nodes", "pve1", "content", "local:iso/x.iso")).toEqual({
      host: "pve1",
      volume: "local:iso/x.iso",
    });
    expect(values("nodes", "pve1", "content", "local:iso", "x.iso")).toEqual({
      host: "pve1",
      volume: "local:iso/x.iso",
    });
  });

  it("knows no path that is longer or shorter, and no other method", () => {
    expect(values("nodes", "pve1")).toBeUndefined();
    expect(values("nodes", "pve1", "qemu", "100", "config", "more")).toBeUndefined();
    expect(values("nodes", "pve1", "content")).toBeUndefined();
    expect(matchRoute(routes, "DELETE", ["nodes"])).toBe("wrong-method");
  });
});
