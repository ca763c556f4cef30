import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { IMAGE_TYPE, machineAddress } from "./address.ts";
import { findOrphans, writeImports } from "./adoption.ts";
import { ownershipTag } from "./ownership.ts";
import { creationOf, EMPTY_PLAN, type PlanSummary, summarize } from "./plan-summary.ts";
import { ProxmoxClient } from "./proxmox-client.ts";
import { readState, type StateMachine } from "./state-file.ts";
import { findTakeover, isTaken, removeTakeover, writeTakeover } from "./takeover.ts";
import { type TerraformOptions, TerraformSession } from "./terraform-session.ts";

const PLAN_FILE = "castle.tfplan";
/** Milliseconds. A first download of the Talos image over a slow line is the longest of them. */
const TIMEOUTS = { plan: 300_000, apply: 1_800_000, short: 60_000 } as const;
/** How long Terraform waits for another one, for example one that outlived a killed castle. */
const LOCK = "-lock-timeout=60s";

export interface PlanOptions {
  /** Addresses of the only resources to plan for; lifecycle restarts machines one at a time with it. */
  readonly targets?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The castle's machines by Terraform: what would change, make it so, take it away. Every call can be interrupted or
 * killed at any moment and repeated.
 * @throws CastleError infra/*, command/interrupted, command/timed-out
 */
export class Terraform {
  readonly #options: TerraformOptions;
  readonly #session: TerraformSession;
  #planned: PlanSummary | undefined;

  constructor(options: TerraformOptions) {
    this.#options = options;
    this.#session = new TerraformSession(options);
  }

  /** Writes the configuration and fetches the provider; does nothing where that has been done. */
  async init(signal?: AbortSignal): Promise<void> {
    await this.#session.prepare(signal);
  }

  /**
   * Compares the castle with what exists, adopting machines and images of ours that the state lost. The plan is kept
   * for `apply`.
   */
  async plan({ targets = [], signal }: PlanOptions = {}): Promise<PlanSummary> {
    this.#planned = undefined;
    await this.init(signal);
    await this.#giveBack(signal);
    await this.#untaint(signal);
    const adopted = await this.adopt(signal);
    const args = ["plan", "-json", "-input=false", "-detailed-exitcode", `-out=${PLAN_FILE}`, LOCK];
    const outcome = await this.#session.call([...args, ...targets.map((target) => `-target=${target}`)], {
      timeout: TIMEOUTS.plan,
      accept: [2],
      signal,
    });
    if (outcome.exitCode === 0 && adopted.length === 0) return (this.#planned = EMPTY_PLAN);
    if (adopted.length === 0 && outcome.planned.every(({ action }) => action === "create")) {
      // Saves a start of the provider on the way to a new castle.
      return (this.#planned = creationOf(outcome.planned.map(({ resource }) => resource.addr)));
    }
    const shown = await this.#session.call(["show", "-json", PLAN_FILE], { timeout: TIMEOUTS.short, signal });
    return (this.#planned = summarize(shown.text));
  }

  /**
   * Carries out the last plan; makes one if there is none.
   * @throws CastleError infra/plan-refused, infra/foreign-machine
   */
  async apply(signal?: AbortSignal): Promise<PlanSummary> {
    const planned = this.#planned ?? (await this.plan({ signal }));
    if (planned.refusal !== undefined) {
      throw new CastleError("infra/plan-refused", {
        message: planned.refusal,
        hint: refusalHint(planned),
        details: { replaces: planned.replaces, destroys: planned.destroys },
      });
    }
    if (planned.clean) return planned;
    const touched = [...planned.updates, ...planned.replaces, ...planned.destroys, ...planned.adopts];
    await this.#assertOwned(
      touched.flatMap(({ machine }) => (machine === undefined ? [] : [machine])),
      signal,
    );
    // A plan is of use once: after a failure the world has moved on.
    this.#planned = undefined;
    const { directory } = this.#options;
    await this.#session.call(["apply", "-json", "-input=false", LOCK, PLAN_FILE], {
      timeout: TIMEOUTS.apply,
      signal,
    });
    await rm(join(directory, PLAN_FILE), { force: true });
    await writeImports(directory, []);
    return planned;
  }

  /**
   * Prepares that the next plan takes over what is ours and not in the state: after a lost state, or a kill between
   * creating a machine and saving it.
   * @returns the titles of what was found
   */
  async adopt(signal?: AbortSignal): Promise<readonly string[]> {
    const { castle, connection, directory, report } = this.#options;
    const state = await readState(directory);
    const orphans = await this.#withClient((client) =>
      findOrphans(castle, connection, { client, state, ...(signal === undefined ? {} : { signal }) }),
    );
    await writeImports(directory, orphans);
    for (const { title } of orphans) {
      report({ type: "warning", message: `${title} exists but is not in Terraform's state: taking it over` });
    }
    return orphans.map(({ title }) => title);
  }

  /**
   * Deletes the castle's machines and images, those included that only tag and name still tell of.
   * @returns the names of the machines that went
   * @throws CastleError infra/foreign-machine before anything is deleted
   */
  async destroy(signal?: AbortSignal): Promise<readonly string[]> {
    this.#planned = undefined;
    const { directory } = this.#options;
    await this.init(signal);
    await this.#takeOver(signal);
    const state = await readState(directory);
    const machines = state.flatMap(({ machine }) => (machine === undefined ? [] : [machine]));
    if (state.length === 0) return [];
    await this.#assertOwned(machines, signal);
    await this.#session.call(["apply", "-destroy", "-json", "-input=false", "-auto-approve", LOCK], {
      timeout: TIMEOUTS.apply,
      signal,
    });
    await removeTakeover(directory);
    return machines.map(({ name }) => name);
  }

  /**
   * Deletes single machines of the castle, control planes too: whoever asks has taken them out of etcd before. The rest
   * of the castle and the images stay.
   * @returns the names of the machines that went
   * @throws CastleError infra/foreign-machine before anything is deleted
   */
  async remove(nodes: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    this.#planned = undefined;
    await this.init(signal);
    await this.#giveBack(signal);
    const targets = nodes.map((node) => `-target=${machineAddress(node)}`);
    const known = async () => {
      const state = await readState(this.#options.directory);
      const wanted = state.filter(({ address }) => targets.includes(`-target=${address}`));
      return wanted.flatMap(({ machine }) => (machine === undefined ? [] : [machine]));
    };
    if ((await known()).length < nodes.length) await this.#adoptOnly(nodes, signal);
    const machines = await known();
    if (machines.length === 0) return [];
    await this.#assertOwned(machines, signal);
    const destroy = ["apply", "-destroy", "-json", "-input=false", "-auto-approve", LOCK];
    await this.#session.call([...destroy, ...targets], { timeout: TIMEOUTS.apply, signal });
    return machines.map(({ name }) => name);
  }

  /** Takes over those of the machines that the state lost, and touches nothing else. */
  async #adoptOnly(nodes: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const { castle, connection, directory } = this.#options;
    const state = await readState(directory);
    const orphans = await this.#withClient((client) =>
      findOrphans(castle, connection, { client, state, ...(signal === undefined ? {} : { signal }) }),
    );
    const addresses = new Set(nodes.map((node) => machineAddress(node)));
    if (!orphans.some(({ address }) => addresses.has(address))) return;
    // Their images come along: a machine in the plan brings what it is made from, and that would be made again.
    const lost = orphans.filter(
      ({ address }) => addresses.has(address) || address.startsWith(`${IMAGE_TYPE}.`),
    );
    await writeImports(directory, lost);
    const targets = lost.map(({ address }) => `-target=${address}`);
    const adopt = ["apply", "-json", "-input=false", "-auto-approve", LOCK];
    await this.#session.call([...adopt, ...targets], { timeout: TIMEOUTS.apply, signal });
    await writeImports(directory, []);
  }

  /** Brings what is ours and unknown into the state and changes nothing about it. */
  async #takeOver(signal: AbortSignal | undefined): Promise<void> {
    const { castle, connection, directory } = this.#options;
    await writeImports(directory, []);
    const state = await readState(directory);
    const takeover = await this.#withClient((client) =>
      findTakeover(castle, connection, { client, state, ...(signal === undefined ? {} : { signal }) }),
    );
    if (takeover.addresses.length === 0) return;
    await writeTakeover(directory, takeover);
    const targets = takeover.addresses.map((address) => `-target=${address}`);
    await this.#session.call(["apply", "-json", "-input=false", "-auto-approve", LOCK, ...targets], {
      timeout: TIMEOUTS.apply,
      signal,
    });
  }

  /** Undoes the takeover of a `destroy` that was killed: the next plan adopts the machines by their own names. */
  async #giveBack(signal: AbortSignal | undefined): Promise<void> {
    const { directory } = this.#options;
    await removeTakeover(directory);
    const taken = (await readState(directory)).filter((resource) => isTaken(resource));
    if (taken.length === 0) return;
    const addresses = taken.map(({ address }) => address);
    await this.#session.call(["state", "rm", LOCK, ...addresses], { timeout: TIMEOUTS.short, signal });
  }

  /**
   * A creation that was interrupted leaves its mark, and Terraform would throw the machine away and begin again. It is
   * ours and it exists: what it lacks, an update brings.
   */
  async #untaint(signal: AbortSignal | undefined): Promise<void> {
    for (const { address, tainted, machine } of await readState(this.#options.directory)) {
      if (!tainted || machine === undefined) continue;
      await this.#session.call(["untaint", LOCK, address], { timeout: TIMEOUTS.short, signal });
    }
  }

  async #assertOwned(machines: readonly StateMachine[], signal: AbortSignal | undefined): Promise<void> {
    if (machines.length === 0) return;
    const tag = ownershipTag(this.#options.castle.name);
    const found = await this.#withClient((client) =>
      Promise.all(machines.map(({ host, vmid }) => client.machine(host, vmid, signal))),
    );
    const foreign = found.find((machine) => machine !== undefined && !machine.tags.includes(tag));
    if (foreign === undefined) return;
    throw new CastleError("infra/foreign-machine", {
      message: `VM ${foreign.vmid} (${foreign.name}) on ${foreign.host} does not carry the tag ${tag}: castle leaves it alone`,
      hint: `if it belongs to this castle, give it the tag: qm set ${foreign.vmid} --tags ${tag}`,
      details: { vmid: foreign.vmid, name: foreign.name, host: foreign.host, tags: foreign.tags },
    });
  }

  async #withClient<T>(use: (client: ProxmoxClient) => Promise<T>): Promise<T> {
    const client = new ProxmoxClient(this.#options.connection);
    try {
      // With a wrong token the provider retries for a minute; one cheap call says so at once.
      await client.version();
      return await use(client);
    } finally {
      await client.close();
    }
  }
}

/** Control planes come and go one at a time, and only where etcd allows it: that is another command's. */
function refusalHint({ replaces, destroys }: PlanSummary): string {
  const [recreated] = replaces.flatMap(({ machine }) => (machine === undefined ? [] : [machine.name]));
  if (destroys.length > 0) {
    return "put the nodes back into castle.yaml, then: castle scale --control-planes N, which takes them out of etcd first";
  }
  return `put the old values back into castle.yaml; or, to have it made anew with the new ones: castle replace ${recreated ?? "NODE"}`;
}
