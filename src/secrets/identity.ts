import { readFile } from "node:fs/promises";
import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";
import { writeFileAtomic } from "../support/write-file.ts";

/**
 * The age identity that opens the encrypted file: what the caller was given (CASTLE_AGE_IDENTITY: the identity
 * itself or a path), or the file, made with mode 0600 where there is nothing yet that an identity would have to open.
 * @param locked the encrypted file that the identity is to open; undefined: a new one may be made
 * @throws CastleError secrets/identity
 */
export async function ageIdentity(file: string, given: string | undefined, locked?: string): Promise<Secret> {
  if (given?.startsWith("AGE-SECRET-KEY-")) return checked(given.trim(), "CASTLE_AGE_IDENTITY");
  const path = given ?? file;
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw new CastleError("secrets/identity", {
      message: `The age identity ${path} cannot be read: ${cause.message}`,
      hint: "run castle as the user that raised the castle, or name another identity with CASTLE_AGE_IDENTITY",
      cause,
    });
  });
  if (text !== undefined) return parseIdentity(text, path);
  if (given !== undefined) {
    throw new CastleError("secrets/identity", {
      message: `CASTLE_AGE_IDENTITY names ${path}, which does not exist`,
      hint: "unset CASTLE_AGE_IDENTITY to use the identity of this user, or copy the file there",
    });
  }
  if (locked !== undefined) {
    throw new CastleError("secrets/identity", {
      message: `${locked} is encrypted, and the age identity that opens it is not here: there is no ${path}`,
      hint: "copy that file from the machine that raised the castle, or name it with CASTLE_AGE_IDENTITY",
    });
  }
  const { generateIdentity } = await import("age-encryption");
  const identity = await generateIdentity();
  await writeFileAtomic(path, `# castle: keep this file safe, it opens your castles' secrets\n${identity}\n`);
  return new Secret(identity);
}

function parseIdentity(text: string, path: string): Promise<Secret> {
  const line = text.split("\n").find((candidate) => candidate.startsWith("AGE-SECRET-KEY-"));
  if (line === undefined) {
    throw new CastleError("secrets/identity", {
      message: `${path} holds no line that starts with AGE-SECRET-KEY-`,
      hint: "restore the identity from your backup, or name another with CASTLE_AGE_IDENTITY",
    });
  }
  return checked(line.trim(), path);
}

async function checked(identity: string, where: string): Promise<Secret> {
  const { identityToRecipient } = await import("age-encryption");
  try {
    await identityToRecipient(identity);
  } catch {
    // Without the cause: what the parser says may quote the key.
    throw new CastleError("secrets/identity", {
      message: `${where} holds a line that starts with AGE-SECRET-KEY- and is no age identity: a mistyped or shortened one`,
      hint: "restore the identity from your backup, or name another with CASTLE_AGE_IDENTITY",
    });
  }
  return new Secret(identity);
}
