/** Numbers that look like chance and come again with the same seed. */
export class Seed {
  readonly value: number;
  #state: number;

  /** @param told CASTLE_TEST_SEED, to repeat a run */
  constructor(told: string | undefined) {
    this.value = told === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(told);
    this.#state = this.value;
  }

  /** A whole number from 0 to `below`, without it (mulberry32). */
  next(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }
}
