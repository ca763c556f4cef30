import { CastleError } from "../errors/castle-error.ts";
import type { Castle } from "../spec/castle.ts";
import type { ClusterIdentity } from "../talos/cluster-identity.ts";
import type { Manifest } from "./contents.ts";

/** Days after which a backup is old: by then hardly anything in it is as people left it. */
const OLD = 7;
const DAY = 24 * 60 * 60 * 1000;

export interface Judged {
  /** What errors call it. */
  readonly name: string;
  readonly manifest: Manifest;
  /** Who the backup's own secrets say that it is. */
  readonly identity: ClusterIdentity;
}

export interface Judging {
  readonly castle: Castle;
  /** Who the castle of the spec is; undefined: nothing here knows, as in an empty home. */
  readonly known: ClusterIdentity | undefined;
  /** When the newest backup beside it was taken. */
  readonly newest: Date | undefined;
  readonly now: Date;
  readonly allowOld: boolean;
}

/**
 * Whether a backup, whole as it is, may take the castle's place. Asked before anything is touched.
 * @throws CastleError backup/foreign, backup/version, backup/old
 */
export function refuseUnfit(backup: Judged, judging: Judging): void {
  refuseForeign(backup, judging);
  refuseOtherVersion(backup, judging);
  if (!judging.allowOld) refuseOld(backup, judging);
}

function refuseForeign({ name, manifest, identity }: Judged, { castle, known }: Judging): void {
  const who = `castle ${castle.name}`;
  const refuse = (why: string) =>
    new CastleError("backup/foreign", {
      message: `${name} is not of ${who}: ${why}`,
      hint: "castle backups lists those of this castle; -f FILE names another castle's spec",
      details: { castle: manifest.castle, cluster: manifest.cluster },
    });
  if (manifest.castle !== castle.name) throw refuse(`it is of castle ${manifest.castle}`);
  if (identity.id !== manifest.cluster || identity.authority !== manifest.authority) {
    throw refuse("the secrets in it are of another castle than its list says");
  }
  if (known === undefined) return;
  if (known.id !== manifest.cluster || known.authority !== manifest.authority) {
    throw refuse(
      `it was taken of another castle of that name (cluster ${manifest.cluster}, and this one is ${known.id})`,
    );
  }
}

function refuseOtherVersion({ name, manifest }: Judged, { castle }: Judging): void {
  const differing = [
    { what: "Talos", key: "talos", had: manifest.talos, has: castle.talos.version },
    { what: "Kubernetes", key: "kubernetes", had: manifest.kubernetes, has: castle.kubernetes.version },
  ].filter(({ had, has }) => had !== has);
  if (differing.length === 0) return;
  throw new CastleError("backup/version", {
    message: `${name} was taken with ${differing.map(({ what, had, has }) => `${what} ${had}, and the spec says ${has}`).join("; ")}`,
    hint: `in castle.yaml: ${differing.map(({ key, had }) => `${key}: { version: ${had} }`).join(", ")}; upgrade once it is restored`,
    details: { differing },
  });
}

function refuseOld({ name, manifest }: Judged, { newest, now }: Judging): void {
  const taken = new Date(manifest.taken);
  const refuse = (why: string) =>
    new CastleError("backup/old", {
      message: `${name} is old: ${why}`,
      hint: "restore a newer one (castle backups), or say that the old one is meant: --allow-old",
      details: { taken: manifest.taken },
    });
  if (newest !== undefined && newest > taken)
    throw refuse(`there is one of ${newest.toISOString()} beside it`);
  if (now.getTime() - taken.getTime() > OLD * DAY) {
    throw refuse(`it was taken on ${manifest.taken}, more than ${OLD} days ago`);
  }
}
