import type { Report } from "../journal/step.ts";
import { titleOf } from "./address.ts";
import type { TerraformMessage } from "./terraform-message.ts";

const DOING: Readonly<Record<string, string>> = {
  create: "creating",
  update: "updating",
  delete: "deleting",
  replace: "replacing",
  import: "adopting",
  read: "reading",
};

/** What Terraform tells people who use -target; castle uses it on purpose. */
const OWN_DOING = /^Resource targeting is in effect|^Applied changes may be incomplete/;

/** Turns Terraform's messages into steps, one for each resource that is being refreshed, made, changed or deleted. */
export class ResourceProgress {
  readonly #report: Report;
  readonly #since = new Map<string, number>();

  constructor(report: Report) {
    this.#report = report;
  }

  show(message: TerraformMessage): void {
    switch (message.type) {
      case "apply_start": {
        const { resource, action = "" } = message.hook;
        return this.#start(
          stepId(action, resource.addr),
          `${titleOf(resource.addr)}: ${DOING[action] ?? action}`,
        );
      }
      case "apply_progress": {
        const { resource, action = "", elapsed_seconds: seconds = 0 } = message.hook;
        const text = `still ${DOING[action] ?? action} after ${seconds} s`;
        return this.#report({ type: "progress", id: stepId(action, resource.addr), message: text });
      }
      case "apply_complete": {
        const { resource, action = "" } = message.hook;
        return this.#finish(stepId(action, resource.addr));
      }
      case "apply_errored": {
        const { resource, action = "" } = message.hook;
        return this.#fail(stepId(action, resource.addr), `${titleOf(resource.addr)}: ${action} failed`);
      }
      case "refresh_start": {
        const { addr } = message.hook.resource;
        return this.#start(stepId("refresh", addr), `${titleOf(addr)}: refreshing`);
      }
      case "refresh_complete":
        return this.#finish(stepId("refresh", message.hook.resource.addr));
      case "diagnostic":
        if (message.diagnostic.severity !== "warning" || OWN_DOING.test(message.diagnostic.summary)) return;
        return this.#report({ type: "warning", message: oneLine(message.diagnostic) });
      case "planned_change":
        return;
    }
  }

  /** Ends what Terraform began and, being interrupted or killed, never ended. */
  abandon(reason: string): void {
    for (const id of this.#since.keys()) this.#fail(id, reason);
  }

  #start(id: string, title: string): void {
    this.#since.set(id, performance.now());
    this.#report({ type: "started", id, title });
  }

  #finish(id: string): void {
    this.#report({ type: "finished", id, milliseconds: this.#elapsed(id) });
  }

  #fail(id: string, error: string): void {
    this.#report({ type: "failed", id, milliseconds: this.#elapsed(id), error });
  }

  #elapsed(id: string): number {
    const since = this.#since.get(id) ?? performance.now();
    this.#since.delete(id);
    return Math.round(performance.now() - since);
  }
}

function stepId(action: string, address: string): string {
  const key = address.split(".", 2)[1] ?? address;
  return `infra-${action}-${key}`.replaceAll("_", "-");
}

function oneLine({ summary, detail }: { summary: string; detail: string }): string {
  return detail === "" ? summary : `${summary}: ${detail.replaceAll(/\s+/g, " ")}`;
}
