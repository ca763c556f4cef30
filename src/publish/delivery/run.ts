import { CastleError } from "../../errors/castle-error.ts";
import { type Report, runStep } from "../../journal/step.ts";
import { PHASE_EXIT, type Phase, type PhaseTime } from "./phase.ts";
import type { Standing } from "./standing.ts";

interface Work {
  readonly phase: Phase;
  readonly step: string;
  readonly title: string;
}

/** The phases of one publication: told while they run, timed for the receipt, their errors given phase and standing. */
export class DeliveryRun {
  readonly times: PhaseTime[] = [];
  readonly standing: Standing;
  readonly report: Report;

  readonly #signal: AbortSignal;
  readonly #started = performance.now();

  constructor(
    { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
    standing: Standing,
  ) {
    this.report = report;
    this.#signal = signal;
    this.standing = standing;
  }

  /** Since the run began. */
  get milliseconds(): number {
    return Math.round(performance.now() - this.#started);
  }

  /** @throws CastleError with the phase's exit code and what is live */
  async phase<T extends { readonly detail?: string } | undefined>(
    { phase, step, title }: Work,
    work: () => Promise<T>,
  ): Promise<T> {
    const start = performance.now();
    const took = () => Math.round(performance.now() - start);
    try {
      const result = await runStep(this.report, { id: `publish-${step}`, title }, work);
      const detail = result?.detail;
      this.times.push({
        phase,
        step,
        milliseconds: took(),
        outcome: "done",
        ...(detail === undefined ? {} : { detail }),
      });
      return result;
    } catch (error) {
      this.times.push({ phase, step, milliseconds: took(), outcome: "failed" });
      throw this.failed(error, phase);
    }
  }

  skip({ phase, step, title }: Work, reason: string): void {
    this.report({ type: "skipped", id: `publish-${step}`, title, reason });
    this.times.push({ phase, step, milliseconds: 0, outcome: "skipped", detail: reason });
  }

  /** The same error, ending the process as its phase says, with what is and what is not live. */
  failed(error: unknown, phase: Phase): CastleError {
    if (error instanceof CastleError && error.details["phase"] !== undefined) return error;
    const known = this.#known(error);
    return new CastleError(known.code, {
      message: `${known.message}\n${this.standing.text()}`,
      ...(known.hint === undefined ? {} : { hint: known.hint }),
      cause: error,
      details: { ...known.details, phase, standing: this.standing.text(), phases: this.times },
      // Whoever stops it has stopped it, wherever it was.
      ...(known.code === "command/interrupted" ? {} : { exit: PHASE_EXIT[phase] }),
    });
  }

  #known(error: unknown): CastleError {
    // Whatever broke off then, it was because of that.
    if (this.#signal.aborted) {
      return new CastleError("command/interrupted", {
        message: "Interrupted",
        hint: "run the same command again to go on",
        cause: error,
      });
    }
    if (error instanceof CastleError) return error;
    return new CastleError("command/unexpected", {
      message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      hint: "this is a fault of castle itself; CASTLE_DEBUG=1 shows where",
      cause: error,
    });
  }
}
