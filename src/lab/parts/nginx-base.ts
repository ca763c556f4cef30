import { copyFile, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type ImageRuntime, writeImageLayout } from "../../image/image-layout.ts";
import { writeLayer } from "../../image/layer-writer.ts";
import { treeEntries } from "../../image/tree-entries.ts";
import { nginxBase } from "./debian-base.ts";
import { unpackDebian } from "./debian-tree.ts";

export interface NginxBaseOptions {
  /** The layout's folder; empty. */
  readonly folder: string;
  /** Folder of castle's configuration of nginx, `parts/nginx`. */
  readonly configuration: string;
  readonly downloads: string;
  readonly architecture: ImageRuntime["architecture"];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the OCI layout that sites' images stand on: Debian's nginx, which serves `/srv/site` on port 8080 as
 * a user of no name, with nothing to write to but /tmp.
 */
export async function writeNginxBase(options: NginxBaseOptions): Promise<void> {
  const { folder, configuration, downloads, architecture, signal } = options;
  const tree = join(folder, "tree");
  await unpackDebian(nginxBase, { folder: tree, downloads, signal });
  await mkdir(join(tree, "etc/nginx/conf.d"), { recursive: true });
  for (const path of ["nginx.conf", "castle-headers.conf", "conf.d/default.conf"]) {
    await copyFile(join(configuration, basename(path)), join(tree, "etc/nginx", path));
  }
  await mkdir(join(tree, "srv/site"), { recursive: true });
  await mkdir(join(tree, "tmp"), { recursive: true });
  const layer = await writeLayer(withSharedTmp(await treeEntries(tree)), {
    blobs: join(folder, "blobs", "sha256"),
    compression: "none",
    signal,
  });
  await rm(tree, { recursive: true });
  await writeImageLayout(folder, [layer], {
    architecture,
    // Its own default for the first errors is a file below /var, which cannot be written.
    entrypoint: ["/usr/sbin/nginx", "-e", "stderr", "-g", "daemon off;"],
    user: "101:101",
    ports: [8080],
    stopSignal: "SIGQUIT",
  });
}

function withSharedTmp(entries: Awaited<ReturnType<typeof treeEntries>>): typeof entries {
  return entries.map((entry) =>
    entry.path === "tmp" && entry.type === "directory" ? { ...entry, mode: 0o1777 } : entry,
  );
}
