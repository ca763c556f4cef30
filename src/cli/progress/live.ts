import type { Report, StepEvent } from "../../journal/step.ts";
import type { Output } from "../context.ts";
import { SHOW_CURSOR } from "./cursor.ts";
import { elapsed } from "./elapsed.ts";
import { type Paint, paints } from "./paint.ts";
import { cutToWidth } from "./width.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const BAR = 20;
/** Milliseconds between two pictures. */
const TICK = 100;
const HIDE_CURSOR = "\u001B[?25l";

interface Running {
  readonly title: string;
  readonly parent: string | undefined;
  readonly since: number;
  message: string;
  share: number | undefined;
}

export interface LiveProgress {
  readonly report: Report;
  /** Takes the moving lines away and gives the cursor back. */
  stop(): void;
}

/**
 * Progress on a terminal: running steps at the bottom with their elapsed times and, below each, the pieces that it is
 * working on; finished steps above, which stay. While nothing runs the terminal is left alone, so that a question can
 * be asked.
 */
export function liveProgress(output: Output, { color }: { readonly color: boolean }): LiveProgress {
  const paint = paints(color);
  const running = new Map<string, Running>();
  let drawn = 0;
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;

  /** One write a picture, each line cleared to its end rather than all beforehand: nothing flickers. */
  const draw = (settled = "") => {
    const width = output.columns ?? 80;
    const spinner = FRAMES[frame] ?? "";
    const lines = picture(running).map(({ step, depth }) =>
      cutToWidth(runningLine({ ...step, depth, spinner }, paint), width - 1),
    );
    const up = drawn === 0 ? "" : `\u001B[${drawn}A`;
    output.write(
      `${up}${settled.replaceAll("\n", "\u001B[K\n")}${lines.map((line) => `${line}\u001B[K\n`).join("")}\u001B[0J`,
    );
    drawn = lines.length;
  };
  const begin = () => {
    if (timer !== undefined) return;
    output.write(HIDE_CURSOR);
    timer = setInterval(() => {
      frame = (frame + 1) % FRAMES.length;
      draw();
    }, TICK);
    timer.unref();
  };
  const rest = () => {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    output.write(SHOW_CURSOR);
  };

  return {
    report: (event) => {
      const step = "id" in event ? running.get(event.id) : undefined;
      switch (event.type) {
        case "progress":
          if (step === undefined) return;
          step.message = event.message;
          step.share = shareOf(event);
          return;
        case "started":
          running.set(event.id, {
            title: event.title,
            parent: event.parent,
            since: performance.now(),
            message: "",
            share: undefined,
          });
          begin();
          return draw();
        case "finished":
        case "failed":
        case "skipped":
        case "warning": {
          if ("id" in event) running.delete(event.id);
          const piece = step?.parent !== undefined && event.type === "finished";
          draw(piece ? "" : settledLine(event, step?.title ?? "", paint));
          if (running.size === 0) rest();
          return;
        }
        default:
          event satisfies never;
      }
    },
    stop: () => {
      running.clear();
      if (drawn > 0) draw();
      rest();
    },
  };
}

interface Placed {
  readonly step: Running;
  readonly depth: 0 | 1;
}

/** Steps in the order of their starts, each followed by its pieces; a piece whose step is gone stands for itself. */
function picture(running: ReadonlyMap<string, Running>): readonly Placed[] {
  const all = [...running.entries()];
  const isPiece = ({ parent }: Running) => parent !== undefined && running.has(parent);
  return all
    .filter(([, step]) => !isPiece(step))
    .flatMap(([id, step]): Placed[] => [
      { step, depth: 0 },
      ...all
        .filter(([, { parent }]) => parent === id)
        .map(([, piece]): Placed => ({ step: piece, depth: 1 })),
    ]);
}

function shareOf({ done, total }: { readonly done?: number; readonly total?: number }): number | undefined {
  return done === undefined || total === undefined || total <= 0 ? undefined : Math.min(done / total, 1);
}

function runningLine(
  { title, since, message, share, depth, spinner }: Running & { depth: 0 | 1; spinner: string },
  { dim, cyan }: Paint,
): string {
  const filled = share === undefined ? 0 : Math.round(share * BAR);
  const bar = share === undefined ? "" : ` ${"█".repeat(filled)}${dim("░".repeat(BAR - filled))}`;
  const time = dim(elapsed(performance.now() - since));
  const words = message === "" ? "" : ` ${dim(message)}`;
  if (depth === 1) return `  ${dim("·")} ${dim(title)} ${time}${bar}${words}`;
  return `${cyan(spinner)} ${title} ${time}${bar}${words}`;
}

type Settled = Extract<StepEvent, { type: "finished" | "failed" | "skipped" | "warning" }>;

function settledLine(event: Settled, title: string, { green, red, yellow, dim }: Paint): string {
  switch (event.type) {
    case "finished": {
      const detail = event.detail === undefined ? "" : ` ${dim(event.detail)}`;
      return `${green("✓")} ${title} ${dim(elapsed(event.milliseconds))}${detail}\n`;
    }
    case "failed":
      return `${red("✗")} ${title} ${dim(elapsed(event.milliseconds))}\n`;
    case "skipped":
      return `${dim("-")} ${event.title} ${dim(event.reason)}\n`;
    case "warning":
      return `${yellow("!")} ${event.message}${event.hint === undefined ? "" : `\n  ${dim(event.hint)}`}\n`;
    default:
      return event satisfies never;
  }
}
