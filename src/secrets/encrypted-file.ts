import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import { type SecretName, type SecretStore, refuseOtherCastle } from "./store.ts";

const contentShape = z.record(z.string(), z.strictObject({ value: z.string(), kept: z.iso.datetime() }));
type Content = Readonly<z.infer<typeof contentShape>>;

export interface EncryptedFile {
  readonly path: string;
  /** Is told the file that it has to open, if there is one. */
  readonly identity: (locked: string | undefined) => Promise<Secret>;
  readonly now: () => Date;
}

/** A store in one age-encrypted, armored file that may be committed. */
export function encryptedFileStore({ path, identity, now }: EncryptedFile): SecretStore {
  // Decrypted once, and again only when somebody has written another file.
  let opened: { readonly armored: string; readonly content: Content } | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  const read = async (): Promise<Content> => {
    const armored = await readArmored(path);
    if (armored === undefined) return {};
    if (opened?.armored !== armored) {
      opened = { armored, content: await decrypt(armored, await identity(path), path) };
    }
    return opened.content;
  };
  const write = async (values: readonly (readonly [string, Secret])[]): Promise<void> => {
    const content = await read();
    const put = new Map(values);
    refuseOtherCastle(
      path,
      content["talos-secrets"]?.value,
      put.get("talos-secrets"),
      (name) => put.get(name)?.reveal() ?? content[name]?.value,
    );
    // A new encryption of the same would only be noise in the repository that the file lies in.
    const changed = values.filter(([name, secret]) => content[name]?.value !== secret.reveal());
    if (changed.length === 0) return;
    const kept = now().toISOString();
    const merged = {
      ...content,
      ...Object.fromEntries(changed.map(([name, secret]) => [name, { value: secret.reveal(), kept }])),
    };
    const armored = await encrypt(merged, await identity(undefined));
    await writeFileAtomic(path, armored);
    opened = { armored, content: merged };
  };
  return {
    description: path,
    get: async (name) => {
      const value = (await read())[name]?.value;
      return value === undefined ? undefined : new Secret(value);
    },
    put: async (values) => {
      // One after the other: each writes the whole file.
      const turn = writing.then(() => write(entries(values)));
      writing = turn.catch(() => {});
      await turn;
    },
    list: async () =>
      Object.entries(await read())
        .map(([name, { kept }]) => ({ name, kept, pending: false }))
        .sort((one, other) => one.name.localeCompare(other.name)),
    sync: () => Promise.resolve([]),
  };
}

function entries(
  values: Readonly<Partial<Record<SecretName, Secret>>>,
): readonly (readonly [string, Secret])[] {
  return Object.entries(values).flatMap(([name, secret]) =>
    secret === undefined ? [] : [[name, secret] as const],
  );
}

async function readArmored(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new CastleError("secrets/unreadable", {
      message: `${path} cannot be read: ${error.message}`,
      hint: "run castle as the user that raised the castle",
      cause: error,
    });
  });
}

async function encrypt(content: Content, identity: Secret): Promise<string> {
  const age = await import("age-encryption");
  const encrypter = new age.Encrypter();
  encrypter.addRecipient(await age.identityToRecipient(identity.reveal()));
  return age.armor.encode(await encrypter.encrypt(JSON.stringify(content)));
}

async function decrypt(armored: string, identity: Secret, path: string): Promise<Content> {
  const age = await import("age-encryption");
  try {
    const decrypter = new age.Decrypter();
    decrypter.addIdentity(identity.reveal());
    return contentShape.parse(JSON.parse(await decrypter.decrypt(age.armor.decode(armored), "text")));
  } catch (cause) {
    throw new CastleError("secrets/unreadable", {
      message: `${path} cannot be opened with this user's age identity: it was made for another one, or is damaged`,
      hint: "set CASTLE_AGE_IDENTITY to the identity that the castle was raised with, or restore the file from your repository",
      cause,
    });
  }
}
