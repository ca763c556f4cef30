import type { Shelf } from "../../backup/shelf/shelf.ts";
import type { Retention } from "../../backup/retention.ts";
import type { Secret } from "../../support/secret.ts";
import type { CastleRun } from "../castle-run.ts";

/** What a backup is taken with: it looks at the castle and changes nothing about it. */
export interface BackupRun
  extends Pick<CastleRun, "castle" | "ground" | "store" | "report" | "now" | "signal"> {
  /** castle.yaml, as its author wrote it. */
  readonly spec: string;
  /** The age identity that opens the backup again. */
  readonly identity: Secret;
  readonly shelf: Shelf;
  readonly retention: Retention;
}
