import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../../support/write-file.ts";
import { bind, type InitChange, PLAIN_INIT } from "./oci-spec.ts";

/*
 * Without CAP_SYS_RESOURCE the kernel refuses to lower an oom_score_adj. Two programs in a machine give up over that:
 * - machined, unless it believes itself in a user namespace, which it reads from /proc/self/uid_map: so the map of a
 *   user namespace is mounted over init's own;
 * - runc, for containers whose bundle asks for a negative score: so a wrapper sets it to 0 first.
 * Both live in files of the machine's boot folder that are bound into place; the shared root file system is not touched.
 */

const UID_MAP = "/.castle-uid-map";
/**
 * The folder of the real runc, as a whole: runc copies itself through an overlay over the folder that it lies in, and
 * would find there, instead of a file that is bound into place alone, the empty file beneath it.
 */
const REAL_RUNC_FOLDER = "/.castle-runc";

/** One id less than the map of the initial user namespace. */
const USER_NAMESPACE_MAP = "         0          0 4294967294\n";

const INIT = `mount --bind ${UID_MAP} /proc/1/uid_map && exec /usr/sbin/init`;

export const RUNC_WRAPPER = `#!/bin/sh
# This host lacks CAP_SYS_RESOURCE: a negative oomScoreAdj would make runc fail.
previous=
for argument; do
  case "$previous" in
  --bundle | -b) sed -i -E 's/"oomScoreAdj": *-[0-9]+/"oomScoreAdj":0/' "$argument/config.json" ;;
  esac
  previous=$argument
done
exec ${REAL_RUNC_FOLDER}/runc "$@"
`;

/** Folders of a node's root file system that may hold its runc, as Talos' own PATH orders them. */
const RUNC_FOLDERS = ["usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "bin", "sbin"] as const;

/** Puts the stand-ins into the boot folder and says what they change; nothing where the capability is there. */
export async function oomScoreChange(
  boot: string,
  rootfs: string,
  capabilities: readonly string[],
): Promise<InitChange> {
  if (capabilities.includes("CAP_SYS_RESOURCE")) return PLAIN_INIT;
  const map = join(boot, "uid-map");
  const wrapper = join(boot, "runc");
  const runc = await firstFile(
    RUNC_FOLDERS.map((folder) => join(folder, "runc")),
    rootfs,
  );
  await Promise.all([
    writeFileAtomic(map, USER_NAMESPACE_MAP, 0o644),
    ...(runc === undefined ? [] : [writeFileAtomic(wrapper, RUNC_WRAPPER, 0o755)]),
  ]);
  return {
    args: ["/bin/sh", "-c", INIT],
    mounts: [
      bind(map, UID_MAP, "ro"),
      ...(runc === undefined
        ? []
        : [bind(join(rootfs, dirname(runc)), REAL_RUNC_FOLDER, "ro"), bind(wrapper, `/${runc}`, "ro")]),
    ],
  };
}

async function firstFile(paths: readonly string[], root: string): Promise<string | undefined> {
  const found = await Promise.all(
    paths.map((path) =>
      stat(join(root, path)).then(
        (entry) => (entry.isFile() ? path : undefined),
        () => undefined,
      ),
    ),
  );
  return found.find((path) => path !== undefined);
}
