import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import { type SecretStore, secretNames } from "./store.ts";

const contentSchema = z.partialRecord(z.enum(secretNames), z.string());
type Content = z.infer<typeof contentSchema>;

/**
 * A store in one age-encrypted, armored file that may be committed.
 * @param identity is told the file that it has to open, if there is one
 */
export function encryptedFileStore(
  path: string,
  identity: (locked: string | undefined) => Promise<Secret>,
): SecretStore {
  const read = async (): Promise<Content> => {
    const armored = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw new CastleError("secrets/unreadable", {
        message: `${path} cannot be read: ${error.message}`,
        hint: "run castle as the user that raised the castle",
        cause: error,
      });
    });
    return armored === undefined ? {} : decrypt(armored, await identity(path), path);
  };
  return {
    description: path,
    get: async (name) => {
      const value = (await read())[name];
      return value === undefined ? undefined : new Secret(value);
    },
    put: async (values) => {
      const content = await read();
      const merged: Content = { ...content };
      for (const name of secretNames) {
        const secret = values[name];
        if (secret !== undefined) merged[name] = secret.reveal();
      }
      // A new encryption of the same would only be noise in the repository that the file lies in.
      if (isDeepStrictEqual(merged, content)) return;
      await writeFileAtomic(path, await encrypt(merged, await identity(undefined)));
    },
  };
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
    return contentSchema.parse(JSON.parse(await decrypter.decrypt(age.armor.decode(armored), "text")));
  } catch (cause) {
    throw new CastleError("secrets/unreadable", {
      message: `${path} cannot be opened with this user's age identity: it was made for another one, or is damaged`,
      hint: "set CASTLE_AGE_IDENTITY to the identity that the castle was raised with, or restore the file from your repository",
      cause,
    });
  }
}
