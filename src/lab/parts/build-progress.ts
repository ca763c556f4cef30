import type { Report } from "../../journal/step.ts";
import type { Part } from "./part.ts";

const TICK = 2_000;

/**
 * Tells how far a build is. Known weights of the parts are scaled by how fast this machine has been, and a
 * part in work counts by the time it has taken, up to its own weight.
 */
export class BuildProgress {
  readonly #report: Report;
  readonly #total: number;
  readonly #start = performance.now();
  #done = 0;

  constructor(parts: readonly Part[], report: Report) {
    this.#report = report;
    this.#total = parts.reduce((sum, part) => sum + part.seconds, 0);
    const title = `Build ${parts.length} parts (${duration(this.#total)} on two cores)`;
    report({ type: "started", id: "parts", title });
  }

  async during<T>(part: Part, work: () => Promise<T>): Promise<T> {
    const id = `part-${part.name}`;
    const begun = performance.now();
    this.#report({ type: "started", id, title: `${part.name} ${part.version}`, parent: "parts" });
    const tick = setInterval(() => this.#tell(part, (performance.now() - begun) / 1000), TICK);
    tick.unref();
    try {
      const result = await work();
      this.#done += part.seconds;
      this.#report({ type: "finished", id, milliseconds: performance.now() - begun });
      this.#tell(part, 0);
      return result;
    } catch (error) {
      const milliseconds = performance.now() - begun;
      const said = error instanceof Error ? error.message : String(error);
      this.#report({ type: "failed", id, milliseconds, error: said });
      this.#report({
        type: "failed",
        id: "parts",
        milliseconds: performance.now() - this.#start,
        error: said,
      });
      throw error;
    } finally {
      clearInterval(tick);
    }
  }

  finish(): void {
    this.#report({ type: "finished", id: "parts", milliseconds: performance.now() - this.#start });
  }

  #tell(part: Part, seconds: number): void {
    const done = this.#done + Math.min(seconds, part.seconds * 0.95);
    const elapsed = (performance.now() - this.#start) / 1000;
    // Too early for a speed of this machine's own: take the measured one.
    const pace = done < 20 ? 1 : elapsed / done;
    const left = duration((this.#total - done) * pace);
    this.#report({
      type: "progress",
      id: "parts",
      message: `${part.name}, ${left} left`,
      done,
      total: this.#total,
    });
  }
}

function duration(seconds: number): string {
  return seconds < 90 ? `about ${Math.ceil(seconds)} s` : `about ${Math.ceil(seconds / 60)} min`;
}
