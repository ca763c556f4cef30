import { ApiError, parameterError } from "../api/api-error.ts";
import { type Input, requiredText } from "../api/input.ts";
import type { Call, Route } from "../api/route.ts";
import { formatDisk, parseDisk } from "../config/disk.ts";
import { parseSize } from "../config/size.ts";
import type { Datacenter } from "../datacenter.ts";
import type { VmRecord, VolumeRecord } from "../inventory/record.ts";
import { findVolume, freeDiskName } from "../inventory/volumes.ts";
import { vmidOf } from "./parameters.ts";

interface SlotDisk {
  readonly slot: string;
  readonly volume: VolumeRecord;
  readonly options: ReadonlyMap<string, string>;
}

/** Changes of one disk. A lab's disks grow with what is written to them; the size is what the API shows. */
export function diskRoutes({ fleet, tasks, power, file, settings }: Datacenter): readonly Route[] {
  const machineOf = ({ path }: Call): VmRecord => fleet.unlocked(path("host"), vmidOf(path("vmid")));
  const diskOf = (vm: VmRecord, input: Input): SlotDisk => {
    const slot = requiredText(input, "disk");
    const disk = parseDisk(vm.options[slot] ?? "none");
    const volume = disk.kind === "volume" ? findVolume(file.state.volumes, vm.host, disk.volume) : undefined;
    if (disk.kind !== "volume" || volume === undefined) {
      throw parameterError({ disk: `disk '${slot}' does not exist` });
    }
    return { slot, volume, options: disk.options };
  };
  const replace = async (vm: VmRecord, { slot, volume, options }: SlotDisk, changed: VolumeRecord) => {
    file.state.volumes = file.state.volumes.map((other) => (other === volume ? changed : other));
    vm.options = { ...vm.options, [slot]: formatDisk(changed.volid, options, changed.size) };
    await file.save();
  };
  return [
    {
      method: "PUT",
      path: "nodes/:host/qemu/:vmid/resize",
      privilege: "VM.Config.Disk",
      answer: (call) => {
        const vm = machineOf(call);
        const size = newSize(requiredText(call.input, "size"), diskOf(vm, call.input).volume.size);
        return tasks.begin({ host: vm.host, type: "resize", id: String(vm.vmid), user: call.user }, () =>
          power.queue.run(vm.vmid, async () => {
            const disk = diskOf(vm, call.input);
            await replace(vm, disk, { ...disk.volume, size });
          }),
        );
      },
    },
    {
      method: "POST",
      path: "nodes/:host/qemu/:vmid/move_disk",
      privilege: "VM.Config.Disk",
      answer: (call) => {
        const vm = machineOf(call);
        diskOf(vm, call.input);
        const storage = requiredText(call.input, "storage");
        if (!settings.storages.some(({ name, content }) => name === storage && content.includes("images"))) {
          throw new ApiError(400, `storage '${storage}' does not exist or does not hold disk images`);
        }
        return tasks.begin({ host: vm.host, type: "qmmove", id: String(vm.vmid), user: call.user }, () =>
          power.queue.run(vm.vmid, async () => {
            const disk = diskOf(vm, call.input);
            const onHost = file.state.volumes.filter(({ host }) => host === vm.host);
            const volid = freeDiskName(onHost, storage, vm.vmid);
            await replace(vm, disk, { ...disk.volume, volid });
          }),
        );
      },
    },
  ];
}

/** Bytes after a resize to an absolute size, or by +N. */
function newSize(text: string, current: number): number {
  const given = parseSize(text.replace(/^\+/, ""));
  if (given === undefined) throw parameterError({ size: `'${text}' is not a size` });
  const size = text.startsWith("+") ? current + given : given;
  if (size < current) throw new ApiError(400, "shrinking disks is not supported");
  return size;
}
