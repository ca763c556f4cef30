import { randomUUID } from "node:crypto";
import { ApiError, parameterError } from "../api/api-error.ts";
import { requiredInteger } from "../api/input.ts";
import type { Call, Route } from "../api/route.ts";
import { changeConfiguration } from "../config/change.ts";
import { formatDisk, isDiskSlot, parseDisk } from "../config/disk.ts";
import type { Configuration } from "../config/configuration.ts";
import { formatCard, parseCard } from "../config/network-card.ts";
import type { Datacenter } from "../datacenter.ts";
import { type VmRecord, newRecord } from "../inventory/record.ts";
import { findVolume, freeDiskName, storageOf } from "../inventory/volumes.ts";
import { refuseFaultyId, refusePool, vmidOf } from "./parameters.ts";

export function cloneRoutes(datacenter: Datacenter): readonly Route[] {
  return [
    {
      method: "POST",
      path: "nodes/:host/qemu/:vmid/clone",
      privilege: "VM.Clone",
      answer: (call) => clone(datacenter, call),
    },
    {
      method: "POST",
      path: "nodes/:host/qemu/:vmid/template",
      privilege: "VM.Allocate",
      answer: async ({ path, user }) => {
        const { fleet, power, tasks, file } = datacenter;
        const vm = fleet.unlocked(path("host"), vmidOf(path("vmid")));
        if (await power.isOn(vm.vmid))
          throw new ApiError(400, "you can't convert a running VM to a template");
        return tasks.begin({ host: vm.host, type: "qmtemplate", id: String(vm.vmid), user }, async () => {
          vm.template = true;
          vm.options = { ...vm.options, template: "1" };
          await file.save();
        });
      },
    },
  ];
}

async function clone(datacenter: Datacenter, { path, input, user }: Call): Promise<string> {
  const { fleet, tasks, power, settings, file } = datacenter;
  const host = path("host");
  const source = fleet.unlocked(host, vmidOf(path("vmid")));
  const vmid = requiredInteger(input, "newid");
  refuseFaultyId(vmid);
  refusePool(input.get("pool"));
  refuseTarget(host, input.get("target"));
  if (source.everStarted) {
    throw new ApiError(400, `VM ${source.vmid} has been started: this lab clones only machines without data`);
  }
  const copied = copyConfiguration(
    source,
    { options: {}, volumes: file.state.volumes },
    vmid,
    input.get("storage"),
  );
  const named = new Map([...input].filter(([key]) => ["name", "description"].includes(key)));
  const { options, volumes } = changeConfiguration(copied, named, { vmid, host, settings });
  const vm: VmRecord = { ...newRecord(vmid, host), options, lock: "clone" };
  await fleet.reserve(vm, volumes);
  return tasks.begin({ host, type: "qmclone", id: String(source.vmid), user }, () =>
    power.queue.run(vmid, () => fleet.complete(vm)),
  );
}

/** Every host's storages are its own, so a clone stays where its source is. */
function refuseTarget(host: string, target: string | undefined): void {
  if (target !== undefined && target !== host) {
    throw parameterError({
      target: `can't clone VM to node '${target}': the storages are local to '${host}'`,
    });
  }
}

function copyConfiguration(
  source: VmRecord,
  start: Configuration,
  vmid: number,
  storage: string | undefined,
): Configuration {
  const { template: _template, ...rest } = source.options;
  let volumes = start.volumes;
  const options: Record<string, string> = {};
  for (const [key, value] of Object.entries(rest)) {
    options[key] = value;
    if (key === "smbios1") options[key] = `uuid=${randomUUID()}`;
    if (/^net\d+$/.test(key)) options[key] = cloneCard(value);
    if (!isDiskSlot(key)) continue;
    const disk = parseDisk(value);
    if (disk.kind === "cdrom") options[key] = value.replaceAll(`vm-${source.vmid}-`, `vm-${vmid}-`);
    if (disk.kind !== "volume") continue;
    const volume = findVolume(volumes, source.host, disk.volume);
    if (volume === undefined) continue;
    const onHost = volumes.filter((candidate) => candidate.host === source.host);
    const volid = freeDiskName(onHost, storage ?? storageOf(volume.volid), vmid);
    volumes = [...volumes, { ...volume, volid, vmid, created: Math.floor(Date.now() / 1000) }];
    options[key] = formatDisk(volid, disk.options, volume.size);
  }
  return { options, volumes };
}

/** A clone's cards get addresses of their own. */
function cloneCard(value: string): string {
  const card = parseCard(value, () => "");
  const mac = `BC:24:11:${randomUUID().slice(0, 6).match(/../g)?.join(":").toUpperCase()}`;
  return formatCard({ ...card, mac });
}
