import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomic } from "../../support/write-file.ts";

const secretShape = z.object({
  id: z.string(),
  environment: z.string(),
  path: z.string(),
  key: z.string(),
  value: z.string(),
  comment: z.string(),
  version: z.int(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type VaultSecret = z.infer<typeof secretShape>;

const folderShape = z.object({
  id: z.string(),
  environment: z.string(),
  path: z.string(),
  createdAt: z.string(),
});
export type VaultFolder = z.infer<typeof folderShape>;

const stateShape = z.object({ folders: z.array(folderShape), secrets: z.array(secretShape) });

/** Where a secret lies. */
export interface VaultKey {
  readonly environment: string;
  readonly path: string;
  readonly key: string;
}

/** Folders and secrets of one project in a file of mode 0600, written before a change is answered. */
export class Vault {
  readonly #file: string;
  readonly #folders: VaultFolder[];
  #secrets: VaultSecret[];
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, { folders, secrets }: z.infer<typeof stateShape>) {
    this.#file = file;
    this.#folders = folders;
    this.#secrets = secrets;
  }

  /** @throws Error if the file is not one of a vault's */
  static async open(file: string): Promise<Vault> {
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return '{"folders":[],"secrets":[]}';
      throw error;
    });
    return new Vault(file, stateShape.parse(JSON.parse(text)));
  }

  hasFolder(environment: string, path: string): boolean {
    return path === "/" || this.#folder(environment, path) !== undefined;
  }

  /** The folders right below a path. */
  folders(environment: string, path: string): readonly VaultFolder[] {
    return this.#folders.filter(
      (folder) => folder.environment === environment && parentOf(folder.path) === path,
    );
  }

  /** Makes the folder and those above it; one that is there stays as it is. */
  async makeFolder(environment: string, path: string): Promise<VaultFolder> {
    const parts = path.split("/").filter((part) => part !== "");
    for (const index of parts.keys()) {
      const above = `/${parts.slice(0, index + 1).join("/")}`;
      if (this.#folder(environment, above) !== undefined) continue;
      this.#folders.push({ id: randomUUID(), environment, path: above, createdAt: new Date().toISOString() });
    }
    await this.#write();
    const made = this.#folder(environment, path);
    if (made === undefined) throw new Error(`${path} was just made`);
    return made;
  }

  list(environment: string, path: string): readonly VaultSecret[] {
    return this.#secrets.filter((secret) => secret.environment === environment && secret.path === path);
  }

  find({ environment, path, key }: VaultKey): VaultSecret | undefined {
    return this.list(environment, path).find((secret) => secret.key === key);
  }

  async create(where: VaultKey, value: string, comment: string): Promise<VaultSecret> {
    const now = new Date().toISOString();
    const secret = { id: randomUUID(), ...where, value, comment, version: 1, createdAt: now, updatedAt: now };
    this.#secrets.push(secret);
    await this.#write();
    return secret;
  }

  async update(secret: VaultSecret, value: string): Promise<VaultSecret> {
    const changed = { ...secret, value, version: secret.version + 1, updatedAt: new Date().toISOString() };
    this.#secrets = this.#secrets.map((one) => (one.id === secret.id ? changed : one));
    await this.#write();
    return changed;
  }

  async remove(secret: VaultSecret): Promise<void> {
    this.#secrets = this.#secrets.filter(({ id }) => id !== secret.id);
    await this.#write();
  }

  #folder(environment: string, path: string): VaultFolder | undefined {
    return this.#folders.find((folder) => folder.environment === environment && folder.path === path);
  }

  #write(): Promise<void> {
    const turn = this.#writing.then(() =>
      writeFileAtomic(
        this.#file,
        `${JSON.stringify({ folders: this.#folders, secrets: this.#secrets }, undefined, 2)}\n`,
      ),
    );
    this.#writing = turn.catch(() => {});
    return turn;
  }
}

function parentOf(path: string): string {
  const above = path.slice(0, path.lastIndexOf("/"));
  return above === "" ? "/" : above;
}
