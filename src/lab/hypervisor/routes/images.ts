import { ApiError, parameterError } from "../api/api-error.ts";
import { requiredText } from "../api/input.ts";
import type { Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";
import { imageVersion } from "../inventory/image-version.ts";
import type { VolumeRecord } from "../inventory/record.ts";
import { IMAGE_SIZE, findVolume } from "../inventory/volumes.ts";

const EXTENSIONS: Readonly<Record<"import" | "iso", RegExp>> = {
  import: /\.(qcow2|raw|vmdk)$/,
  iso: /\.(iso|img)$/i,
};

/**
 * Images by URL. Nothing is downloaded: the lab boots a root file system of its own, of the Talos version that the
 * URL or the file's name tells, and refuses versions that it does not have.
 */
export function imageRoutes({ settings, file, tasks }: Datacenter): readonly Route[] {
  const talosOf = (url: string, name: string): string => {
    const version = imageVersion(url, name);
    const known = settings.talosVersions.join(", ");
    if (version === undefined) {
      throw parameterError({
        url: `names no Talos version; this lab has no internet, and has Talos ${known}`,
      });
    }
    if (!settings.talosVersions.includes(version)) {
      throw parameterError({ url: `Talos ${version} is not in this lab, which has ${known}` });
    }
    return version;
  };
  return [
    {
      method: "GET",
      path: "nodes/:host/query-url-metadata",
      privilege: "Sys.AccessNetwork",
      answer: ({ input }) => {
        const url = requiredText(input, "url");
        const filename = fileName(url);
        talosOf(url, filename);
        return { filename, size: IMAGE_SIZE, mimetype: "application/octet-stream" };
      },
    },
    {
      method: "POST",
      path: "nodes/:host/storage/:storage/download-url",
      privilege: "Datastore.AllocateTemplate",
      answer: ({ path, input, user }) => {
        const host = path("host");
        const storage = settings.storages.find(({ name }) => name === path("storage"));
        if (storage === undefined) throw new ApiError(404, `storage '${path("storage")}' does not exist`);
        const content = requiredText(input, "content");
        if (content !== "iso" && content !== "import") {
          throw parameterError({ content: `'${content}' is not one of iso, import` });
        }
        if (!storage.content.includes(content)) {
          throw parameterError({ storage: `'${storage.name}' does not support content type '${content}'` });
        }
        const filename = requiredText(input, "filename");
        if (filename.includes("/") || !EXTENSIONS[content].test(filename)) {
          throw parameterError({ filename: `wrong file extension for content type '${content}'` });
        }
        const talos = talosOf(requiredText(input, "url"), filename);
        const volid = `${storage.name}:${content}/${filename}`;
        if (findVolume(file.state.volumes, host, volid) !== undefined) {
          throw new ApiError(400, `refusing to override existing file '${volid}'`);
        }
        const volume: VolumeRecord = {
          host,
          volid,
          content,
          format: formatOf(filename),
          size: IMAGE_SIZE,
          talos,
          created: Math.floor(Date.now() / 1000),
        };
        return tasks.begin({ host, type: "download", id: filename, user }, async (log) => {
          log(
            `lab: ${volid} stands for the lab's own Talos ${talos}; nothing was downloaded, no checksum verified`,
          );
          file.state.volumes = [
            ...file.state.volumes.filter((other) => other.host !== host || other.volid !== volid),
            volume,
          ];
          await file.save();
        });
      },
    },
  ];
}

function fileName(url: string): string {
  try {
    return decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
  } catch {
    throw parameterError({ url: "not a valid URL" });
  }
}

function formatOf(filename: string): VolumeRecord["format"] {
  if (/\.(iso|img)$/i.test(filename)) return "iso";
  return filename.endsWith(".qcow2") ? "qcow2" : "raw";
}
