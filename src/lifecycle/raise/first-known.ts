/**
 * Holds new control planes back until discovery knows the first of them: their etcd waits until that is bootstrapped, but
 * asks in vain for half a minute if all that it has been told of by then has no etcd.
 */
export class FirstKnown {
  readonly #first: string | undefined;
  readonly #known: <T>(give: () => Promise<T>) => Promise<T>;
  readonly #opened: Promise<void>;
  #isOpen = false;
  #open: () => void = () => {};

  /**
   * @param names of the control planes, in the spec's order
   * @param known gives a node its configuration and waits, with an end, until discovery knows it
   */
  constructor([first, ...others]: readonly string[], known: <T>(give: () => Promise<T>) => Promise<T>) {
    // Alone it has nobody who asks for it.
    this.#first = others.length === 0 ? undefined : first;
    this.#known = known;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    if (this.#first === undefined) this.open();
  }

  /** Nobody needs to wait any more: a control plane of this castle stands. */
  open(): void {
    this.#isOpen = true;
    this.#open();
  }

  /** Gives a node its configuration when its time has come; whatever comes of the first, the others follow it. */
  async take<T>(name: string, give: () => Promise<T>): Promise<T> {
    if (name !== this.#first) {
      await this.#opened;
      return give();
    }
    try {
      return await (this.#isOpen ? give() : this.#known(give));
    } finally {
      this.open();
    }
  }
}
