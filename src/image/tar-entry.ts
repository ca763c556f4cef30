/** What a tar archive can hold for us. Paths are relative, with `/`, without a leading `./`. */
export type TarEntry =
  | { readonly type: "directory"; readonly path: string; readonly mode: number }
  | {
      readonly type: "file";
      readonly path: string;
      readonly mode: number;
      readonly content: FileContent;
      /** Seconds since 1970; 0 unless told. */
      readonly modified?: number;
    }
  | { readonly type: "symlink"; readonly path: string; readonly target: string }
  | { readonly type: "hardlink"; readonly path: string; readonly target: string };

/** Bytes at hand, or a file to read while the archive is written. */
export type FileContent = Uint8Array | { readonly file: string; readonly size: number };

/** Bytes of a file's content. */
export function contentSize(content: FileContent): number {
  return content instanceof Uint8Array ? content.byteLength : content.size;
}
