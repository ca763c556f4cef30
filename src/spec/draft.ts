import { type Fault, formatPath, type Path } from "./fault.ts";
import type { Place, SpecDocument } from "./document.ts";

export interface FaultText {
  readonly message: string;
  readonly hint?: string;
  /** The key of the path rather than its value is what is wrong. */
  readonly part?: "key" | "value";
}

/**
 * A spec while it is judged. What a fault was found in is not readable any more, so that no check finds a
 * second fault in the consequences of a first: reading gives undefined, and the check has nothing to say.
 */
export class Draft {
  readonly #file: string;
  readonly #document: SpecDocument;
  readonly #broken: Path[] = [];
  readonly #faults: Fault[] = [];

  constructor(document: SpecDocument, file: string) {
    this.#document = document;
    this.#file = file;
  }

  /** In the order of the file. */
  get faults(): readonly Fault[] {
    return [...this.#faults].sort((one, other) => one.line - other.line || one.column - other.column);
  }

  fault(path: Path, { message, hint, part }: FaultText): void {
    this.faultAt(this.#document.place(path, part ?? "value"), path, { message, ...(hint && { hint }) });
    this.distrust(path);
  }

  /** A fault whose place is known already: one of the YAML itself. */
  faultAt({ line, column }: Place, path: Path, { message, hint }: FaultText): void {
    const fault = { file: this.#file, line, column, path: formatPath(path), message };
    this.#faults.push(hint === undefined ? fault : { ...fault, hint });
    if (path.length > 0) this.distrust(path);
  }

  /** Nothing at, above or below this path is read any more. */
  distrust(path: Path): void {
    this.#broken.push(path);
  }

  trusts(path: Path): boolean {
    return !this.#broken.some((broken) => startsWith(broken, path) || startsWith(path, broken));
  }

  /** Whether something is written at this path, right or wrong. */
  has(path: Path): boolean {
    return this.#at(path) !== undefined;
  }

  text(path: Path, fallback?: string): string | undefined {
    const value = this.#read(path, fallback);
    return typeof value === "string" ? value : undefined;
  }

  number(path: Path, fallback?: number): number | undefined {
    const value = this.#read(path, fallback);
    return typeof value === "number" ? value : undefined;
  }

  is(path: Path, value: boolean): boolean {
    return this.#read(path, undefined) === value;
  }

  texts(path: Path, fallback?: readonly string[]): readonly string[] | undefined {
    const value = this.#read(path, fallback);
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
  }

  /** How many items the list has; 0 when it is absent or broken. */
  count(path: Path): number {
    const value = this.#at(path);
    return Array.isArray(value) ? value.length : 0;
  }

  keys(path: Path): readonly string[] {
    const value = this.#at(path);
    return isRecord(value) ? Object.keys(value) : [];
  }

  #read(path: Path, fallback: unknown): unknown {
    return this.trusts(path) ? (this.#at(path) ?? fallback) : undefined;
  }

  #at(path: Path): unknown {
    return path.reduce<unknown>((value, step) => {
      if (Array.isArray(value)) return typeof step === "number" ? value[step] : undefined;
      return isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    }, this.#document.value);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string | number, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((step, index) => path[index] === step);
}
