import { describe, expect, it } from "vitest";
import type { StepEvent } from "../journal/step.ts";
import { ResourceProgress } from "./resource-progress.ts";
import { parseMessage } from "./terraform-message.ts";

const addr = "proxmox_virtual_environment_vm.fortress-cp-1";

function played(...lines: object[]): readonly StepEvent[] {
  const events: StepEvent[] = [];
  const progress = new ResourceProgress((event) => events.push(event));
  for (const line of lines) {
    const message = parseMessage(JSON.stringify(line));
    if (message !== undefined) progress.show(message);
  }
  progress.abandon("cut off");
  return events;
}

function warning(summary: string): object {
  return { type: "diagnostic", diagnostic: { severity: "warning", summary, detail: "" } };
}

describe("ResourceProgress", () => {
  it("turns a creation into a step with its elapsed time", () => {
    const hook = { resource: { addr }, action: "create" };
    const events = played(
      { type: "version", ui: "1.2" },
      { type: "apply_start", hook },
      { type: "apply_progress", hook: { ...hook, elapsed_seconds: 10 } },
      { type: "apply_complete", hook: { ...hook, elapsed_seconds: 12 } },
    );
    const id = "infra-create-fortress-cp-1";
    expect(events).toMatchObject([
      { type: "started", id, title: "machine fortress-cp-1: creating" },
      { type: "progress", id, message: "still creating after 10 s" },
      { type: "finished", id },
    ]);
  });

  it("ends what Terraform left open", () => {
    const events = played({ type: "apply_start", hook: { resource: { addr }, action: "delete" } });
    expect(events.at(-1)).toMatchObject({
      type: "failed",
      id: "infra-delete-fortress-cp-1",
      error: "cut off",
    });
  });

  it("passes warnings on, but not those about castle's own way of calling Terraform", () => {
    expect(played(warning("Resource targeting is in effect"), warning("Old clock"))).toEqual([
      { type: "warning", message: "Old clock" },
    ]);
  });

  it("survives a line that is no JSON", () => {
    expect(parseMessage("panic: runtime error")).toBeUndefined();
  });
});
