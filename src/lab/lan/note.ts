import { readFile } from "node:fs/promises";

/** What a file of the lab's state remembers; a missing or broken one remembers nothing, which costs ports, not the lab. */
export async function readNote(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return {};
  }
}
