import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { ObjectStore, type ObjectState, type PartRecord } from "./object-store.ts";
import { type Part, type PartSet, singleProgram } from "./part.ts";
import { type RecipeInputs, recipeKeys } from "./recipe-key.ts";

export interface PartsStoreOptions extends RecipeInputs {
  /** The cache, `~/.cache/castle/parts` unless the user says otherwise. */
  readonly root: string;
}

/** An image for the lab's registry. */
export interface StoreImage {
  /** With the registry's host: `ghcr.io/siderolabs/kubelet`. */
  readonly repository: string;
  readonly tag: string;
  /** Folder of its OCI layout. */
  readonly layout: string;
}

export interface PartStatus {
  readonly part: Part;
  readonly state: "whole" | "missing" | "broken";
  readonly origin?: PartRecord["origin"];
}

/** The parts that the lab is made of, as they lie in the user's cache. */
export class PartsStore {
  readonly catalogue: readonly Part[];
  readonly modules: string;
  readonly architecture: RecipeInputs["architecture"];
  readonly objects: ObjectStore;
  readonly #keys: Promise<ReadonlyMap<string, string>>;
  /** What was last found whole: looking walks whole trees, and a command resolves the same part several times. */
  readonly #whole = new Map<string, ObjectState>();

  constructor({ root, catalogue, modules, architecture }: PartsStoreOptions) {
    this.catalogue = catalogue;
    this.modules = modules;
    this.architecture = architecture;
    this.objects = new ObjectStore(root);
    this.#keys = recipeKeys({ catalogue, modules, architecture });
    // Told where it is awaited, not as a rejection that nobody handles.
    this.#keys.catch(() => undefined);
  }

  /** @throws CastleError parts/unknown, with the nearest names */
  part(name: string): Part {
    const part = this.catalogue.find((candidate) => candidate.name === name);
    if (part === undefined) {
      throw new CastleError("parts/unknown", {
        message: `there is no part ${name}; the parts are ${this.catalogue.map((known) => known.name).join(", ")}`,
        hint: "castle parts list",
      });
    }
    return part;
  }

  async key(name: string): Promise<string> {
    const key = (await this.#keys).get(this.part(name).name);
    if (key === undefined) throw new CastleError("parts/unknown", { message: `${name} has no recipe` });
    return key;
  }

  /**
   * The path of a part: a file where it is one program, else a folder. Its content is what was stored.
   * @throws CastleError parts/missing, parts/wrong-hash, parts/unknown
   */
  async resolve(name: string): Promise<string> {
    const part = this.part(name);
    const found = this.#whole.get(await this.key(name)) ?? (await this.#look(name));
    if (found.state === "missing") {
      throw new CastleError("parts/missing", {
        message: `the part ${name} ${part.version} is not in ${this.objects.root}`,
        hint: "castle parts build",
      });
    }
    if (found.state === "broken") {
      throw new CastleError("parts/wrong-hash", {
        message: `the part ${name} in ${found.folder} is not what was stored: expected hash ${found.record.digest}`,
        hint: "castle parts build makes it again",
      });
    }
    const program = singleProgram(part);
    return program === undefined ? found.folder : join(found.folder, program);
  }

  async #look(name: string): Promise<ObjectState> {
    const key = await this.key(name);
    const found = await this.objects.look(key);
    if (found.state === "whole") this.#whole.set(key, found);
    else this.#whole.delete(key);
    return found;
  }

  /** Where each part stands. `full` hashes every byte instead of trusting size and time. */
  async status({ full = false } = {}): Promise<PartStatus[]> {
    const statuses: PartStatus[] = [];
    for (const part of this.catalogue) {
      const found = await this.objects.look(await this.key(part.name), { full });
      statuses.push({
        part,
        state: found.state,
        ...(found.state === "missing" ? {} : { origin: found.record.origin }),
      });
    }
    return statuses;
  }

  /** The images of the lab's registry, one entry a tag. @throws CastleError parts/missing, parts/wrong-hash */
  async images(sets: readonly PartSet[] = ["machines"]): Promise<StoreImage[]> {
    const images: StoreImage[] = [];
    for (const { name, source, set } of this.catalogue) {
      if (source.kind !== "image" || !sets.includes(set)) continue;
      const layout = await this.resolve(name);
      for (const tag of source.recipe.tags) {
        images.push({ repository: source.recipe.repository, tag, layout });
      }
    }
    return images;
  }

  /** Names of the parts that these sets want for themselves. */
  wanted(sets: readonly PartSet[] = ["machines"]): string[] {
    return this.catalogue.filter((part) => part.wanted && sets.includes(part.set)).map((part) => part.name);
  }

  /**
   * What has to be made so that these parts are there, in order. Needs of parts that are there are not
   * looked at.
   */
  async missing(names: readonly string[]): Promise<Part[]> {
    const absent = new Set<string>();
    const visit = async (name: string): Promise<void> => {
      if (absent.has(name)) return;
      if ((await this.#look(name)).state === "whole") return;
      absent.add(name);
      for (const need of this.part(name).needs) await visit(need);
    };
    // All at once: most of it is waiting for the disk.
    await Promise.all(names.map((name) => this.#look(name)));
    for (const name of names) await visit(name);
    return this.catalogue.filter((part) => absent.has(part.name));
  }
}
