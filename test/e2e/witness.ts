import { readFile, readdir } from "node:fs/promises";
import { networkInterfaces } from "node:os";

/** Watches the host while castle works: what stands in process arguments, and which addresses the root namespace has. */
export class Witness {
  /** Every argument list that was seen. */
  readonly commandLines = new Set<string>();
  readonly addresses = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(milliseconds = 250) {
    this.#timer = setInterval(() => {
      this.#looking = this.#look();
    }, milliseconds);
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    for (const cards of Object.values(networkInterfaces())) {
      for (const { address } of cards ?? []) this.addresses.add(address);
    }
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "")),
    );
    for (const line of lines) this.commandLines.add(line);
  }
}
