import { createReadStream } from "node:fs";
import { CastleError } from "../errors/castle-error.ts";
import { contentSize, type FileContent, type TarEntry } from "./tar-entry.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar-header.ts";

/**
 * The bytes of a tar archive, in the order of the entries given.
 * @throws CastleError image/changed-while-read when a file's size is not what its entry said
 */
export async function* tarStream(
  entries: Iterable<TarEntry> | AsyncIterable<TarEntry>,
): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    yield tarHeader(entry);
    if (entry.type !== "file") continue;
    yield* contentBytes(entry.path, entry.content);
    yield tarPadding(contentSize(entry.content));
  }
  yield tarEnd();
}

async function* contentBytes(path: string, content: FileContent): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) {
    yield content;
    return;
  }
  let seen = 0;
  const chunks: AsyncIterable<Buffer> = createReadStream(content.file, { highWaterMark: 1 << 20 });
  for await (const chunk of chunks) {
    seen += chunk.byteLength;
    yield chunk;
  }
  if (seen !== content.size) {
    throw new CastleError("image/changed-while-read", {
      message: `${path} had ${content.size} bytes when listed and ${seen} when read`,
    });
  }
}
