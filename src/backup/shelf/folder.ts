import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { Shelf } from "./shelf.ts";

/** A folder, made with mode 0700 by the first backup; files of mode 0600. */
export function folderShelf(folder: string): Shelf {
  const failed = (work: string) => (cause: NodeJS.ErrnoException) => {
    throw new CastleError("backup/place", {
      message: `${folder} cannot be ${work}: ${cause.message}`,
      hint: "give another place: castle backup --to FOLDER",
      cause,
    });
  };
  return {
    description: folder,
    list: async () => {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) =>
        error.code === "ENOENT" ? [] : failed("read")(error),
      );
      const items = await Promise.all(
        names.map(async (name) => {
          const found = await stat(join(folder, name)).catch(() => undefined);
          return found?.isFile() === true ? [{ name, bytes: found.size }] : [];
        }),
      );
      return items.flat();
    },
    read: (name) =>
      readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) =>
        error.code === "ENOENT" ? undefined : failed("read")(error),
      ),
    write: (name, content) => writeFileAtomic(join(folder, name), content).catch(failed("written")),
    remove: (name) => rm(join(folder, name), { force: true }).catch(failed("written")),
  };
}
