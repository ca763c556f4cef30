import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { tarStream } from "../image/tar-stream.ts";
import { Secret } from "../support/secret.ts";
import { type BackupContents, type Manifest, manifestShape } from "./contents.ts";
import { tarFiles } from "./tar-files.ts";
import { sha256 } from "../support/sha256.ts";

/*
 * A backup is one file: age around gzip around tar, so that `age -d -i IDENTITY FILE | tar -xz` opens it without castle.
 */

const FILES = {
  manifest: "backup.json",
  spec: "castle.yaml",
  secrets: "secrets.json",
  snapshot: "etcd.snapshot",
};
const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** @param identity the age identity that opens it again */
export async function sealBackup(
  {
    manifest,
    spec,
    secrets,
    snapshot,
  }: Omit<BackupContents, "manifest"> & { manifest: Omit<Manifest, "files"> },
  identity: Secret,
): Promise<Uint8Array> {
  const revealed = Object.fromEntries([...secrets].map(([name, secret]) => [name, secret.reveal()]));
  const contents: readonly (readonly [string, Buffer])[] = [
    [FILES.spec, Buffer.from(spec)],
    [FILES.secrets, Buffer.from(JSON.stringify(revealed))],
    [FILES.snapshot, snapshot],
  ];
  const files = Object.fromEntries(contents.map(([name, content]) => [name, sha256(content)]));
  const whole: Manifest = { ...manifest, files };
  const first = [FILES.manifest, Buffer.from(`${JSON.stringify(whole, undefined, 2)}\n`)] as const;
  const modified = Math.floor(Date.parse(manifest.taken) / 1000);
  const parts: Uint8Array[] = [];
  const entries = [first, ...contents].map(
    ([path, content]) => ({ type: "file", path, mode: 0o600, content, modified }) as const,
  );
  for await (const part of tarStream(entries)) parts.push(part);
  const age = await import("age-encryption");
  const encrypter = new age.Encrypter();
  encrypter.addRecipient(await age.identityToRecipient(identity.reveal()));
  return encrypter.encrypt(await zip(Buffer.concat(parts)));
}

/**
 * Opens a backup and checks every byte of it.
 * @param name what errors call it
 * @throws CastleError backup/damaged, backup/key
 */
export async function openBackup(
  sealed: Uint8Array,
  identity: Secret,
  name: string,
): Promise<BackupContents> {
  const files = await unpack(await decrypt(sealed, identity, name), name);
  const manifest = parse(manifestShape, files.get(FILES.manifest), name);
  const take = (file: string): Buffer => {
    const content = files.get(file);
    if (content === undefined || sha256(content) !== manifest.files[file]) {
      throw damaged(name, `${file} in it is not what its list says`);
    }
    return content;
  };
  const secrets = parse(z.record(z.string(), z.string()), take(FILES.secrets), name);
  return {
    manifest,
    spec: take(FILES.spec).toString("utf8"),
    secrets: new Map(Object.entries(secrets).map(([key, value]) => [key, new Secret(value)])),
    snapshot: take(FILES.snapshot),
  };
}

async function decrypt(sealed: Uint8Array, identity: Secret, name: string): Promise<Uint8Array> {
  const age = await import("age-encryption");
  const decrypter = new age.Decrypter();
  decrypter.addIdentity(identity.reveal());
  try {
    return await decrypter.decrypt(sealed);
  } catch (cause) {
    if (cause instanceof Error && /no identity matched/i.test(cause.message)) {
      throw new CastleError("backup/key", {
        message: `${name} was encrypted for another age identity than this user's`,
        hint: "set CASTLE_AGE_IDENTITY to the identity of the castle that it is of",
        cause,
      });
    }
    throw damaged(name, "it is cut short or was changed since it was written", cause);
  }
}

async function unpack(zipped: Uint8Array, name: string): Promise<ReadonlyMap<string, Buffer>> {
  try {
    return tarFiles(await unzip(zipped));
  } catch (cause) {
    throw damaged(name, "what was encrypted is no archive of castle's", cause);
  }
}

function parse<T>(shape: z.ZodType<T>, content: Buffer | undefined, name: string): T {
  try {
    return shape.parse(JSON.parse(content?.toString("utf8") ?? ""));
  } catch {
    // Without the cause: it may quote a secret.
    throw damaged(name, "what it says of itself cannot be read; a newer castle may have written it");
  }
}

function damaged(name: string, why: string, cause?: unknown): CastleError {
  return new CastleError("backup/damaged", {
    message: `${name} is no whole backup: ${why}`,
    hint: "castle backups lists the others",
    cause,
  });
}
