import { stripVTControlCharacters } from "node:util";
import type { Report, StepEvent } from "../../journal/step.ts";
import type { Output } from "../context.ts";
import { elapsed } from "./elapsed.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const BAR = 20;
const green = (text: string) => `\u001B[32m${text}\u001B[39m`;
const red = (text: string) => `\u001B[31m${text}\u001B[39m`;
const yellow = (text: string) => `\u001B[33m${text}\u001B[39m`;
const dim = (text: string) => `\u001B[2m${text}\u001B[22m`;

interface Running {
  readonly title: string;
  readonly since: number;
  message: string;
  share: number | undefined;
}

export interface LiveProgress {
  readonly report: Report;
  /** Takes the moving lines away and gives the cursor back. */
  stop(): void;
}

/** Progress on a terminal: running steps at the bottom with their elapsed times, finished ones above. */
export function liveProgress(output: Output): LiveProgress {
  const running = new Map<string, Running>();
  let drawn = 0;
  let frame = 0;
  const clear = () => (drawn === 0 ? "" : `\u001B[${drawn}A\u001B[0J`);
  const draw = (above = "") => {
    const width = output.columns ?? 80;
    const lines = [...running.values()].map((step) => cut(runningLine(step, FRAMES[frame] ?? ""), width));
    output.write(`${clear()}${above}${lines.map((line) => `${line}\n`).join("")}`);
    drawn = lines.length;
  };
  output.write("\u001B[?25l");
  const timer = setInterval(() => {
    frame = (frame + 1) % FRAMES.length;
    draw();
  }, 100);
  timer.unref();
  return {
    report: (event) => {
      if (event.type === "progress") {
        const step = running.get(event.id);
        if (step === undefined) return;
        step.message = event.message;
        step.share =
          event.done === undefined || event.total === undefined ? undefined : event.done / event.total;
        return;
      }
      const title = "id" in event ? (running.get(event.id)?.title ?? event.id) : "";
      if (event.type === "started") {
        running.set(event.id, {
          title: event.title,
          since: performance.now(),
          message: "",
          share: undefined,
        });
      } else if ("id" in event) {
        running.delete(event.id);
      }
      draw(settledLine(event, title));
    },
    stop: () => {
      clearInterval(timer);
      output.write(`${clear()}\u001B[?25h`);
      drawn = 0;
    },
  };
}

function runningLine({ title, since, message, share }: Running, spinner: string): string {
  const filled = share === undefined ? 0 : Math.round(Math.min(share, 1) * BAR);
  const bar = share === undefined ? "" : ` ${"█".repeat(filled)}${dim("░".repeat(BAR - filled))}`;
  return `${spinner} ${title} ${dim(elapsed(performance.now() - since))}${bar} ${dim(message)}`;
}

function settledLine(event: StepEvent, title: string): string {
  switch (event.type) {
    case "finished":
      return `${green("✓")} ${title} ${dim(elapsed(event.milliseconds))} ${dim(event.detail ?? "")}\n`;
    case "failed":
      return `${red("✗")} ${title} ${dim(elapsed(event.milliseconds))}\n`;
    case "skipped":
      return `${dim("-")} ${event.title} ${dim(event.reason)}\n`;
    case "warning":
      return `${yellow("!")} ${event.message}${event.hint === undefined ? "" : `\n  ${dim(event.hint)}`}\n`;
    case "started":
    case "progress":
      return "";
    default:
      return event satisfies never;
  }
}

/** Cuts a line that would wrap, because a wrapped line is two lines to take away; colours are dropped there. */
function cut(line: string, width: number): string {
  const bare = stripVTControlCharacters(line);
  return bare.length < width ? line : `${bare.slice(0, Math.max(1, width - 2))}…`;
}
