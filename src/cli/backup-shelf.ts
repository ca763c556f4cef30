import { basename, dirname, resolve } from "node:path";
import { keptBackups } from "../backup/kept-backups.ts";
import { folderShelf } from "../backup/shelf/folder.ts";
import { parseS3Address, s3Shelf } from "../backup/shelf/s3/s3.ts";
import type { Shelf } from "../backup/shelf/shelf.ts";
import { CastleError } from "../errors/castle-error.ts";
import { exists } from "../support/exists.ts";
import { Secret } from "../support/secret.ts";
import type { Context } from "./context.ts";
import type { SpecFile } from "./spec-file.ts";

/** The place that is told; else the spec's; else NAME.backups beside it. @throws CastleError backup/place */
export function backupShelf(context: Context, { castle, folder }: SpecFile, told: string | undefined): Shelf {
  if (told !== undefined) return shelfAt(context, told, context.cwd);
  return shelfAt(context, castle.backup?.to ?? `${castle.name}.backups`, folder);
}

/** A backup on its shelf. */
export interface BackupPlace {
  readonly shelf: Shelf;
  /** The file's name there. */
  readonly name: string;
}

/** One that was looked for. */
export interface FoundBackup extends BackupPlace {
  /** What finds it again, as an argument, whatever folder is the current one and however many backups are taken since. */
  readonly argument: string;
}

/**
 * The backup that a person means: the path or S3 address of its file, its name on the castle's shelf, or `newest`.
 * @throws CastleError backup/place, backup/not-found
 */
export async function findBackup(
  context: Context,
  spec: SpecFile,
  meant: string,
  from: string | undefined,
): Promise<FoundBackup> {
  if (meant.startsWith("s3://") || (meant !== "newest" && (await exists(resolve(context.cwd, meant))))) {
    const at = meant.startsWith("s3://") ? meant : resolve(context.cwd, meant);
    return { shelf: shelfAt(context, dirname(at), context.cwd), name: basename(at), argument: at };
  }
  const shelf = backupShelf(context, spec, from);
  const found = (name: string) => ({
    shelf,
    name,
    argument: from === undefined ? name : `${name} --from ${from}`,
  });
  if (meant !== "newest") return found(meant);
  const [newest] = await keptBackups(shelf, spec.castle.name);
  if (newest !== undefined) return found(newest.name);
  throw new CastleError("backup/not-found", {
    message: `${shelf.description} holds no backup of castle ${spec.castle.name}`,
    hint: "castle backup takes one; --from PLACE looks elsewhere",
  });
}

/** @throws CastleError backup/not-found */
export async function readBackup({ shelf, name }: BackupPlace): Promise<Buffer> {
  const content = await shelf.read(name);
  if (content !== undefined) return content;
  throw new CastleError("backup/not-found", {
    message: `There is no ${name} in ${shelf.description}`,
    hint: "castle backups lists what there is; --from PLACE looks elsewhere",
  });
}

function shelfAt(context: Context, place: string, folder: string): Shelf {
  if (!place.startsWith("s3://")) return folderShelf(resolve(folder, place));
  const { env, now, signal } = context;
  const region = given(env, "AWS_REGION") ?? given(env, "AWS_DEFAULT_REGION") ?? "us-east-1";
  const endpoint =
    given(env, "AWS_ENDPOINT_URL_S3") ??
    given(env, "AWS_ENDPOINT_URL") ??
    `https://s3.${region}.amazonaws.com`;
  const token = given(env, "AWS_SESSION_TOKEN");
  return s3Shelf({
    ...parseS3Address(place),
    endpoint: endpoint.replace(/\/+$/, ""),
    credentials: {
      accessKey: needed(env, "AWS_ACCESS_KEY_ID"),
      secretKey: new Secret(needed(env, "AWS_SECRET_ACCESS_KEY")),
      sessionToken: token === undefined ? undefined : new Secret(token),
      region,
    },
    now,
    signal,
  });
}

function given(env: Context["env"], name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}

function needed(env: Context["env"], name: string): string {
  const value = given(env, name);
  if (value !== undefined) return value;
  throw new CastleError("backup/place", {
    message: `${name} is not set: backups in S3 are written with an access key`,
    hint: "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…, and AWS_ENDPOINT_URL_S3=https://… for a server of your own",
  });
}
