import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../support/run.ts";
import type { DebianBase } from "./debian-base.ts";

export interface DebianTreeOptions {
  /** The tree; has to be empty or missing. */
  readonly folder: string;
  /** Where the packages are downloaded to; packages that lie there are not fetched again. */
  readonly downloads: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks Debian packages into a folder without a chroot and without running their scripts. What the
 * scripts would have made and a node needs (merged /usr, iptables' alternatives, the certificates' bundle)
 * is made here.
 */
export async function unpackDebian(base: DebianBase, options: DebianTreeOptions): Promise<void> {
  const { folder } = options;
  const archives = await download(base.packages, options);
  await mergedUsr(folder);
  for (const archive of archives) await unpack(archive, options);
  for (const path of base.drop) await rm(join(folder, path), { recursive: true, force: true });
  if (base.packages.includes("iptables")) await alternatives(folder);
  if (base.packages.includes("ca-certificates")) await certificateBundle(folder);
  // setuid is of no use to root alone and a risk in an image.
  await run("find", [folder, "-perm", "/6000", "-type", "f", "-exec", "chmod", "ug-s", "{}", "+"]);
}

async function download(
  packages: readonly string[],
  { downloads, signal }: DebianTreeOptions,
): Promise<string[]> {
  await mkdir(downloads, { recursive: true });
  const missing = await without(packages, downloads);
  if (missing.length > 0) {
    // As root, apt would go on as the user _apt, who may not write here.
    const options = ["-q", "-o", "APT::Sandbox::User=root"];
    await run("apt-get", [...options, "download", ...missing], {
      cwd: downloads,
      timeout: 300_000,
      env: { LC_ALL: "C" },
      ...(signal === undefined ? {} : { signal }),
    });
  }
  const files = await readdir(downloads);
  return packages.map((name) => {
    const file = files.find((candidate) => candidate.startsWith(`${name}_`) && candidate.endsWith(".deb"));
    if (file === undefined) throw new Error(`apt-get download did not leave a file for ${name}`);
    return join(downloads, file);
  });
}

async function without(packages: readonly string[], downloads: string): Promise<string[]> {
  const files = await readdir(downloads);
  return packages.filter(
    (name) => !files.some((file) => file.startsWith(`${name}_`) && file.endsWith(".deb")),
  );
}

const ACCOUNTS =
  "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n";
const GROUPS = "root:x:0:\nnogroup:x:65534:\n";

async function mergedUsr(folder: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await mkdir(join(folder, "usr", name), { recursive: true });
    await symlink(`usr/${name}`, join(folder, name));
  }
  // Debian makes these by script: Talos binds /run over the kubelet's /var/run, and the kubelet looks in /run.
  await mkdir(join(folder, "run"), { recursive: true });
  await mkdir(join(folder, "var"), { recursive: true });
  await symlink("../run", join(folder, "var", "run"));
  // base-passwd writes these by script: the kubelet reads them for its user namespaces.
  await mkdir(join(folder, "etc"), { recursive: true });
  await writeFile(join(folder, "etc", "passwd"), ACCOUNTS);
  await writeFile(join(folder, "etc", "group"), GROUPS);
}

const unpackScript =
  'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --no-same-owner -p -C "$2"';

async function unpack(archive: string, { folder, signal }: DebianTreeOptions): Promise<void> {
  await run("sh", ["-c", unpackScript, "sh", archive, folder], signal === undefined ? {} : { signal });
}

/** The nft flavour, as on Debian: the kernel's modern interface, shared with Talos' own rules. */
async function alternatives(folder: string): Promise<void> {
  for (const family of ["iptables", "ip6tables"]) {
    for (const suffix of ["", "-save", "-restore"]) {
      await symlink("xtables-nft-multi", join(folder, "usr/sbin", `${family}${suffix}`));
    }
  }
}

async function certificateBundle(folder: string): Promise<void> {
  const source = join(folder, "usr/share/ca-certificates/mozilla");
  const names = (await readdir(source)).filter((name) => name.endsWith(".crt")).sort();
  const certificates = await Promise.all(names.map((name) => readFile(join(source, name), "utf8")));
  await mkdir(join(folder, "etc/ssl/certs"), { recursive: true });
  await writeFile(
    join(folder, "etc/ssl/certs/ca-certificates.crt"),
    certificates.map((text) => (text.endsWith("\n") ? text : `${text}\n`)).join(""),
    { mode: 0o644 },
  );
  await rm(join(folder, "usr/share/ca-certificates"), { recursive: true });
}
