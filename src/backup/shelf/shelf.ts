/** A place where backups lie: a folder, or a bucket. Names are file names, without folders. */
export interface Shelf {
  /** As `--to` names it: a path, or s3://BUCKET/PREFIX. */
  readonly description: string;
  /** Everything that lies there. @throws CastleError backup/place */
  list(): Promise<readonly ShelfItem[]>;
  /** Undefined: there is none of that name. @throws CastleError backup/place */
  read(name: string): Promise<Buffer | undefined>;
  /** Whole or not at all. @throws CastleError backup/place */
  write(name: string, content: Uint8Array): Promise<void>;
  /** What is gone is as good as removed. @throws CastleError backup/place */
  remove(name: string): Promise<void>;
}

export interface ShelfItem {
  readonly name: string;
  readonly bytes: number;
}
