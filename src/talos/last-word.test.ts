import { expect, test } from "vitest";
import { lastWord } from "./last-word.ts";

// As a kubelet v1.34 on Talos v1.11 writes them.
const STARTED =
  '{"ts":1764000000.1,"caller":"app/server.go:525","msg":"Kubelet version","v":0,"kubeletVersion":"v1.34.4"}';
const FAILED =
  '{"ts":1764000000.5,"caller":"app/run.go:72","msg":"command failed","err":"failed to run Kubelet: unknown service"}';

test("a log's last complaint is told, whatever was said after it", () => {
  expect(lastWord([FAILED, STARTED, ""])).toBe("command failed: failed to run Kubelet: unknown service");
  expect(lastWord([STARTED, "Error: failed to parse flags", STARTED])).toBe("Error: failed to parse flags");
});

test("a log without a complaint gives its last line, an empty one nothing", () => {
  expect(lastWord(["first", STARTED])).toBe("Kubelet version");
  expect(lastWord([STARTED, "plain"])).toBe("plain");
  expect(lastWord(["", " "])).toBeUndefined();
});

test("a complaint of any length stays a sentence", () => {
  expect(lastWord([`Error: ${"x".repeat(2_000)}`])).toHaveLength(301);
});
