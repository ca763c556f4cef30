import { z } from "zod";
import { parseBackupName, proofFileName } from "./file-name.ts";
import type { Shelf } from "./shelf/shelf.ts";
import { parsedJson } from "../support/json.ts";

const proofShape = z.object({
  /** SHA-256 of the file that was proved, in hexadecimal digits. */
  sha256: z.string(),
  at: z.iso.datetime(),
  /** Objects that came back the same. */
  objects: z.int(),
});

/** That a backup was restored and every object of it came back. */
export type Proof = Readonly<z.infer<typeof proofShape>>;

/** A backup as a list shows it; nothing of it was opened. */
export interface KeptBackup {
  /** The file's name on its shelf. */
  readonly name: string;
  readonly taken: Date;
  readonly bytes: number;
  readonly proof: Proof | undefined;
}

/** The castle's backups on a shelf, newest first. @throws CastleError backup/place */
export async function keptBackups(shelf: Shelf, castle: string): Promise<readonly KeptBackup[]> {
  const items = await shelf.list();
  const names = new Set(items.map(({ name }) => name));
  const found = await Promise.all(
    items.map(async ({ name, bytes }) => {
      const parsed = parseBackupName(name);
      if (parsed === undefined || parsed.castle !== castle) return [];
      const proof = names.has(proofFileName(name)) ? await readProof(shelf, name) : undefined;
      return [{ name, taken: parsed.taken, bytes, proof }];
    }),
  );
  return found.flat().toSorted((one, other) => other.taken.getTime() - one.taken.getTime());
}

export async function writeProof(shelf: Shelf, name: string, proof: Proof): Promise<void> {
  await shelf.write(proofFileName(name), Buffer.from(`${JSON.stringify(proof, undefined, 2)}\n`));
}

/** The backup and all that lies there because of it. The proof goes last: a backup is never taken for one unproved. */
export async function removeBackup(shelf: Shelf, name: string): Promise<void> {
  await shelf.remove(name);
  await shelf.remove(proofFileName(name));
}

/** What cannot be read proves nothing. */
async function readProof(shelf: Shelf, name: string): Promise<Proof | undefined> {
  const text = await shelf.read(proofFileName(name));
  return proofShape.safeParse(parsedJson(text?.toString("utf8") ?? "")).data;
}
