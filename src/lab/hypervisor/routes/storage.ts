import { statfs } from "node:fs/promises";
import { ApiError } from "../api/api-error.ts";
import type { Call, Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";
import type { VolumeRecord } from "../inventory/record.ts";
import { findVolume, storageOf } from "../inventory/volumes.ts";
import type { StorageSettings } from "../settings.ts";

export function storageRoutes(datacenter: Datacenter): readonly Route[] {
  const { settings, file, tasks } = datacenter;
  const storageNamed = (name: string): StorageSettings => {
    const storage = settings.storages.find((candidate) => candidate.name === name);
    if (storage === undefined) throw new ApiError(404, `storage '${name}' does not exist`);
    return storage;
  };
  const volumeOf = ({ path }: Call): VolumeRecord => {
    const { name } = storageNamed(path("storage"));
    const asked = path("volume");
    const volid = asked.includes(":") ? asked : `${name}:${asked}`;
    const volume = findVolume(file.state.volumes, path("host"), volid);
    if (volume === undefined || storageOf(volid) !== name)
      throw new ApiError(404, `no such volume '${volid}'`);
    return volume;
  };
  return [
    {
      method: "GET",
      path: "nodes/:host/storage",
      answer: async ({ input }) => {
        const content = input.get("content")?.split(",");
        const name = input.get("storage");
        const space = await spaceOf(datacenter.stateFolder);
        return settings.storages
          .filter((storage) => name === undefined || storage.name === name)
          .filter(
            (storage) => content === undefined || storage.content.some((type) => content.includes(type)),
          )
          .map((storage) => ({ ...describeStorage(storage), ...space }));
      },
    },
    {
      method: "GET",
      path: "nodes/:host/storage/:storage/status",
      answer: async ({ path }) => ({
        ...describeStorage(storageNamed(path("storage"))),
        ...(await spaceOf(datacenter.stateFolder)),
      }),
    },
    {
      method: "GET",
      path: "nodes/:host/storage/:storage/content",
      answer: ({ path, input }) => {
        const { name } = storageNamed(path("storage"));
        const content = input.get("content");
        return file.state.volumes
          .filter((volume) => volume.host === path("host") && storageOf(volume.volid) === name)
          .filter((volume) => content === undefined || volume.content === content)
          .map(describeVolume);
      },
    },
    {
      method: "GET",
      path: "nodes/:host/storage/:storage/content/:volume+",
      answer: (call) => {
        const volume = volumeOf(call);
        const path = `/castle-lab/${volume.volid.replace(":", "/")}`;
        return { path, format: volume.format, size: volume.size, used: volume.size };
      },
    },
    {
      method: "DELETE",
      path: "nodes/:host/storage/:storage/content/:volume+",
      privilege: "Datastore.AllocateTemplate",
      answer: (call) => {
        const volume = volumeOf(call);
        if (volume.vmid !== undefined) {
          throw new ApiError(
            403,
            `volume '${volume.volid}' belongs to VM ${volume.vmid}: change that instead`,
          );
        }
        const request = {
          host: call.path("host"),
          type: "imgdel",
          id: storageOf(volume.volid),
          user: call.user,
        };
        return tasks.begin(request, async () => {
          file.state.volumes = file.state.volumes.filter((candidate) => candidate !== volume);
          await file.save();
        });
      },
    },
  ];
}

function describeStorage({ name, type, content }: StorageSettings): object {
  return { storage: name, type, content: content.join(","), active: 1, enabled: 1, shared: 0 };
}

function describeVolume({ volid, content, format, size, vmid, created }: VolumeRecord): object {
  return { volid, content, format, size, ctime: created, ...(vmid === undefined ? {} : { vmid }) };
}

/** Real numbers of the file system that the machines' disks are on. */
async function spaceOf(folder: string): Promise<object> {
  const { bsize, blocks, bfree, bavail } = await statfs(folder);
  const total = blocks * bsize;
  const used = (blocks - bfree) * bsize;
  return { total, used, avail: bavail * bsize, used_fraction: total === 0 ? 0 : used / total };
}
