import { CastleError } from "../errors/castle-error.ts";
import { type SecretName, type SecretStore, type SecretValues, valuesOf } from "./store.ts";

export interface PatientStore {
  /** The store that may be away for a while. */
  readonly remote: SecretStore;
  /** On this machine, encrypted: what the remote store was last known to hold. */
  readonly copy: SecretStore;
  /** On this machine, encrypted: what the remote store does not hold yet. */
  readonly waiting: SecretStore;
  /** Empties `waiting`, once all of it is kept. */
  readonly forgetWaiting: () => Promise<void>;
  /**
   * Told once, when the remote store does not answer: work goes on with what is here. Without it, what is not here
   * either is an error.
   */
  readonly tellAway?: ((away: CastleError) => void) | undefined;
}

/** A store whose server may be away: a castle rises all the same, and what could not be kept is kept later. */
export function patientStore(parts: PatientStore): SecretStore {
  const { remote, copy, waiting, forgetWaiting, tellAway } = parts;
  let gone: CastleError | undefined;
  let catchingUp: Promise<readonly string[]> | undefined;

  const here = async (name: SecretName) => (await waiting.get(name)) ?? (await copy.get(name));
  /** Two castles of one name, raised while they could not see each other, must not mix their secrets. */
  const assertSameCastle = async (): Promise<void> => {
    const [mine, theirs] = await Promise.all([here("talos-secrets"), remote.get("talos-secrets")]);
    if (mine === undefined || theirs === undefined || mine.reveal() === theirs.reveal()) return;
    throw new CastleError("secrets/conflict", {
      message: `${remote.description} holds the Talos secrets of another castle of that name than the one raised from here; nothing is overwritten`,
      hint: `give one of them another name in castle.yaml; if the one raised from here is gone, delete ${copy.description} and ${waiting.description}; if the other is, delete its folder in the store, then: castle secrets sync`,
    });
  };
  const catchUp = async (): Promise<readonly string[]> => {
    await assertSameCastle();
    const values: SecretValues = await valuesOf(waiting);
    const names = Object.keys(values);
    if (names.length === 0) return names;
    await remote.put(values);
    await copy.put(values);
    await forgetWaiting();
    return names;
  };
  /** Asks once a run whether somebody is there: every silence costs seconds. */
  const there = async <T>(ask: () => Promise<T>, away: (why: CastleError) => Promise<T>): Promise<T> => {
    if (gone !== undefined) return away(gone);
    try {
      catchingUp ??= catchUp();
      await catchingUp;
      return await ask();
    } catch (error) {
      if (!(error instanceof CastleError) || error.code !== "secrets/unreachable") throw error;
      if (gone === undefined) tellAway?.(error);
      gone = error;
      return away(error);
    }
  };
  return {
    get description() {
      return gone === undefined ? remote.description : `${remote.description} (which does not answer)`;
    },
    get: (name) =>
      there(
        async () => {
          const value = await remote.get(name);
          if (value !== undefined) await copy.put({ [name]: value });
          return value;
        },
        async (why) => {
          const value = await here(name);
          if (value === undefined && tellAway === undefined) throw why;
          return value;
        },
      ),
    put: (values) =>
      there(
        async () => {
          await remote.put(values);
          await copy.put(values);
        },
        () => waiting.put(values),
      ),
    list: () =>
      there(
        () => remote.list(),
        async () => {
          const pending = (await waiting.list()).map((secret) => ({ ...secret, pending: true }));
          const names = new Set(pending.map(({ name }) => name));
          const known = (await copy.list()).filter(({ name }) => !names.has(name));
          return [...known, ...pending].sort((one, other) => one.name.localeCompare(other.name));
        },
      ),
    sync: () =>
      there(
        async () => (await catchingUp) ?? [],
        (why) => Promise.reject(why),
      ),
  };
}
