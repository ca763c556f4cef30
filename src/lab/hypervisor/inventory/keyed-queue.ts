/** One thing at a time for each machine, in the order asked; different machines go on side by side. */
export class KeyedQueue {
  readonly #last = new Map<number, Promise<unknown>>();

  async run<T>(key: number, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work, work);
    const settled = turn.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }

  /** Resolves when all that was asked before the call has ended, well or badly. */
  async drain(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
